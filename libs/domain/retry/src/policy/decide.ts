import { accepted, nothing, type Decision } from '@cairn/kernel';
import { hashPolicy } from './compile.js';
import type { RetryPolicyDocument } from './document.js';
import type { PolicyApplied } from './events.js';
import type { PolicyState } from './evolve.js';

/** Gives a policy its first version. One that has any stays as it is: whoever changed it knew why. */
export function introducePolicy(state: PolicyState | undefined, ns: string, policy: RetryPolicyDocument): Decision<PolicyApplied, never> {
  return state === undefined ? applyPolicy(state, ns, policy, hashPolicy(policy)) : nothing('unchanged');
}

/** Makes a compiled policy the newest version of its name. The newest version's own bytes change nothing; an older version's are a new one. */
export function applyPolicy(
  state: PolicyState | undefined,
  ns: string,
  policy: RetryPolicyDocument,
  hash: string,
): Decision<PolicyApplied, never> {
  if (state?.hash === hash) return nothing('unchanged');
  const version = (state?.revision ?? -1) + 2;
  return accepted([{ type: 'PolicyApplied', version: 1, data: { ns, name: policy.policy, version, hash, policy } }]);
}
