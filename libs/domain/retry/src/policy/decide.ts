import { accepted, nothing, type Decision } from '@cairn/kernel';
import { hashPolicy } from './default-policy.js';
import type { RetryPolicyDocument } from './document.js';
import type { PolicyApplied } from './events.js';
import type { PolicyState } from './evolve.js';

/** Gives a policy its first version. One that has any stays as it is: whoever changed it knew why. */
export function introducePolicy(state: PolicyState | undefined, ns: string, policy: RetryPolicyDocument): Decision<PolicyApplied, never> {
  if (state !== undefined) return nothing('unchanged');
  return accepted([{ type: 'PolicyApplied', version: 1, data: { ns, name: policy.policy, version: 1, hash: hashPolicy(policy), policy } }]);
}
