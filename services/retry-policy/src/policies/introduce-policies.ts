import { transact } from '@cairn/application';
import { defaultPolicy, evolvePolicy } from '@cairn/domain-retry';
import { introducePolicy } from '@cairn/domain-retry/decider';
import { instantOf, policyStream } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';

/** Gives each namespace its policy `default`, unless it has one: no run starts without (`history.md` §3). Throws `StoreFault`. */
export async function introducePolicies(
  { store, clock }: { readonly store: EventStore; readonly clock: Clock },
  namespaces: readonly string[],
): Promise<void> {
  for (const ns of namespaces) {
    await transact(store, {
      stream: policyStream(ns, defaultPolicy.policy),
      initial: undefined,
      evolve: evolvePolicy,
      decide: (state) => introducePolicy(state, ns, defaultPolicy),
      context: { ns, at: instantOf(clock.now()), actor: 'service:retry-policy', causationId: 'start' },
    });
  }
}
