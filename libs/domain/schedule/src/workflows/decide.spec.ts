import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { applyDefinition } from './decide.js';
import type { DefinitionApplied } from './events.js';
import { evolveWorkflow, noVersions, type WorkflowState } from './evolve.js';

const version = (of: string, hash = `sha256:${of}`): DefinitionApplied['data'] => ({
  ns: 'default',
  name: 'w',
  version: of,
  hash,
  definition: {},
});

const after = (...applied: readonly DefinitionApplied['data'][]): WorkflowState =>
  applied.reduce(
    (state, data, revision) => evolveWorkflow(state, { type: 'DefinitionApplied', revision, data: data as unknown as JsonObject }),
    noVersions,
  );

describe('applying a definition', () => {
  it('makes it a version', () => {
    expect(applyDefinition(noVersions, version('1.0.0'))).toMatchObject({
      kind: 'accepted',
      events: [{ type: 'DefinitionApplied', data: { version: '1.0.0' } }],
    });
    expect(applyDefinition(after(version('1.0.0')), version('1.1.0'))).toMatchObject({ kind: 'accepted' });
  });

  it('changes nothing when the version has these very bytes, also after newer ones', () => {
    expect(applyDefinition(after(version('1.0.0'), version('1.1.0')), version('1.0.0'))).toEqual({ kind: 'nothing', because: 'unchanged' });
  });

  it('refuses other bytes under a version that exists, and names the field', () => {
    expect(applyDefinition(after(version('1.0.0')), version('1.0.0', 'sha256:other'))).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'version_conflict', errors: [{ pointer: '/version', rule: 'version_conflict' }] },
    });
  });
});
