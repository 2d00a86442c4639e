import { accepted, nothing, rejected, type Decision, type Rejection } from '@cairn/kernel';
import type { DefinitionApplied } from './events.js';
import type { WorkflowState } from './evolve.js';

export type WorkflowRejection = Rejection<'version_conflict'>;

/** A version is what it was when it was first applied: the same bytes again change nothing, other bytes need another version. */
export function applyDefinition(
  state: WorkflowState,
  definition: DefinitionApplied['data'],
): Decision<DefinitionApplied, WorkflowRejection> {
  const known = state.find(({ version }) => version === definition.version);
  if (known === undefined) return accepted([{ type: 'DefinitionApplied', version: 1, data: definition }]);
  if (known.hash === definition.hash) return nothing('unchanged');
  return rejected({
    code: 'version_conflict',
    detail: `${definition.name} ${definition.version} was applied with hash ${known.hash.slice(0, 19)}; this document has ${definition.hash.slice(0, 19)}`,
    errors: [{ pointer: '/version', rule: 'version_conflict', says: 'another document has this version: give this one a new version' }],
  });
}
