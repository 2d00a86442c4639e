import { transact } from '@cairn/application';
import type { ApplyPolicyAnswer } from '@cairn/contracts';
import { compilePolicy, evolvePolicy } from '@cairn/domain-retry';
import { applyPolicy as decide } from '@cairn/domain-retry/decider';
import { instantOf, invariant, isName, policyStream, type FieldError } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';

export interface ApplyPolicy {
  /** What the append will carry as its cause. */
  readonly id: string;
  readonly ns: string;
  readonly actor: string;
  readonly name: string;
  readonly document: unknown;
}

/**
 * Compiles a document and makes it the newest version of its policy. Runs that pinned an earlier one keep it (C-POLICY).
 * Throws `StoreFault`.
 */
export async function applyPolicy(
  { store, clock }: { readonly store: EventStore; readonly clock: Clock },
  { id, ns, actor, name, document }: ApplyPolicy,
): Promise<ApplyPolicyAnswer> {
  if (!isName(name)) return invalid([{ pointer: '/name', rule: 'name', says: 'a name is a-z, then a-z 0-9 -, at most 63 characters' }]);
  const compiled = compilePolicy(document);
  if (!compiled.ok) return invalid(compiled.errors);
  const { policy, hash } = compiled;
  if (policy.policy !== name)
    return invalid([{ pointer: '/policy', rule: 'name', says: `the document is named ${policy.policy}, it was sent as ${name}` }]);

  const outcome = await transact(store, {
    stream: policyStream(ns, name),
    initial: undefined,
    evolve: evolvePolicy,
    decide: (state) => decide(state, ns, policy, hash),
    context: { ns, at: instantOf(clock.now()), actor, causationId: id },
  });
  const { state } = outcome.head;
  invariant(state !== undefined, `policy ${name}: it was applied and is not there`);
  const { version, revision } = state;
  return { kind: outcome.kind === 'accepted' ? 'applied' : 'unchanged', name, version, hash, revision };
}

const invalid = (errors: readonly FieldError[]): ApplyPolicyAnswer => ({
  kind: 'rejected',
  rejection: { code: 'policy_invalid', detail: errors[0]?.says ?? 'the document is no retry policy', errors },
});
