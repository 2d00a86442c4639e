import type { JsonObject, Revision } from '@cairn/kernel';
import type { DefinitionApplied } from './events.js';

/** Every version of one workflow that was ever applied, in order. */
export type WorkflowState = readonly AppliedVersion[];

export interface AppliedVersion {
  readonly version: string;
  readonly hash: string;
  readonly revision: Revision;
}

export const noVersions: WorkflowState = [];

export function evolveWorkflow(
  state: WorkflowState,
  event: { readonly type: string; readonly revision: Revision; readonly data: JsonObject },
): WorkflowState {
  if (event.type !== 'DefinitionApplied') return state;
  const { version, hash } = event.data as unknown as DefinitionApplied['data'];
  return [...state, { version, hash, revision: event.revision }];
}
