import { describe, expect, it } from '@jest/globals';
import { compilePolicy } from '@cairn/domain-retry';
import { policies } from './policies.js';

const all = Object.entries(policies).flatMap(([name, versions]) => versions.map((document, i) => [name, i + 1, document] as const));

describe('policies', () => {
  it.each(all)('%s, version %i, may be applied', (policy, _version, document) => {
    const compiled = compilePolicy({ cairn: 1, policy, ...document });
    expect(compiled.ok ? [] : compiled.errors).toEqual([]);
  });
});
