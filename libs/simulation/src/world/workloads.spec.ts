import { describe, expect, it } from '@jest/globals';
import { compileDefinition } from '@cairn/domain-definition';
import { workloadKinds } from './workloads.js';

const all = [...new Set(workloadKinds.flat())].flatMap((workload) =>
  workload.starts === undefined ? [workload] : [workload, workload.starts],
);

describe('workloads', () => {
  it.each(all.map(({ name, document }) => [name, document] as const))('%s is a definition', (name, document) => {
    const compiled = compileDefinition(document);
    expect(compiled.ok ? [] : compiled.errors).toEqual([]);
    expect(document.name).toBe(name);
  });
});
