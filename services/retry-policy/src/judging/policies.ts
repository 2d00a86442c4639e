import { transact } from '@cairn/application';
import { defaultPolicy, evolvePolicy, type PolicyState } from '@cairn/domain-retry';
import { introducePolicy } from '@cairn/domain-retry/decider';
import { instantOf, invariant, policyStream } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';

/** The policies of all namespaces, as their streams have them. So far each has one: `default`. */
export class Policies {
  private readonly known = new Map<string, Promise<PolicyState>>();

  constructor(private readonly ports: { readonly store: EventStore; readonly clock: Clock }) {}

  /** The namespace's policy; a namespace without one gets it now. Throws `StoreFault`. */
  of(ns: string): Promise<PolicyState> {
    const known = this.known.get(ns);
    if (known !== undefined) return known;
    const introducing = this.introduce(ns);
    this.known.set(ns, introducing);
    introducing.catch(() => this.known.delete(ns));
    return introducing;
  }

  private async introduce(ns: string): Promise<PolicyState> {
    const outcome = await transact(this.ports.store, {
      stream: policyStream(ns, defaultPolicy.policy),
      initial: undefined,
      evolve: evolvePolicy,
      decide: (state) => introducePolicy(state, ns, defaultPolicy),
      context: { ns, at: instantOf(this.ports.clock.now()), actor: 'service:retry-policy', causationId: 'start' },
    });
    const { state } = outcome.head;
    invariant(state !== undefined, `policy of ${ns}: it was introduced and is not there`);
    return state;
  }
}
