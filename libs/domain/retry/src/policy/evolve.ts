import type { JsonObject, Revision } from '@cairn/kernel';
import type { RetryPolicyDocument } from './document.js';
import type { PolicyApplied } from './events.js';

/** The newest version of one policy. `undefined`: it has none. */
export interface PolicyState {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly revision: Revision;
  readonly policy: RetryPolicyDocument;
}

export function evolvePolicy(
  state: PolicyState | undefined,
  event: { readonly type: string; readonly revision: Revision; readonly data: JsonObject },
): PolicyState | undefined {
  if (event.type !== 'PolicyApplied') return state;
  const { name, version, hash, policy } = event.data as unknown as PolicyApplied['data'];
  return { name, version, hash, revision: event.revision, policy };
}
