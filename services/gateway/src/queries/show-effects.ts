import type { EffectView, Page } from '@cairn/contracts';
import type { Id, StoredEvent } from '@cairn/kernel';
import { readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from './run-reader.js';

interface ShowEffectsParts {
  readonly reader: RunReader;
}

/** `GET runs/{id}/effects`: what the run did to the world outside, by key, in the order in which the keys came up. */
export async function listEffects({ reader }: ShowEffectsParts, ns: string, run: Id, query: Query): Promise<Page<EffectView>> {
  readQuery(query, []);
  const { events } = await reader.events(ns, run, undefined, 0);
  return { items: effectsOf(run, events) };
}

/** `GET runs/{id}/effects/{key}`: the key as the definition gives it, without a suffix. */
export async function showEffect({ reader }: ShowEffectsParts, ns: string, run: Id, key: string, query: Query): Promise<EffectView> {
  readQuery(query, []);
  const { events } = await reader.events(ns, run, undefined, 0);
  const found = effectsOf(run, events).find((effect) => effect.key === key);
  return found ?? refuse('effect_not_found', 'The run has intended no effect with that key.');
}

/** The ledger with all that the history says of each key; what it shows of a key is its newest intent. */
export function effectsOf(run: Id, events: readonly StoredEvent[]): EffectView[] {
  const ledger = new Map<string, EffectView>();
  for (const event of events) {
    const status = statusAfter[event.type];
    if (status === undefined) continue;
    const { key, suffix, step, attemptId, fingerprint, guarantee, by, because } = event.data as unknown as Told;
    const known = ledger.get(key);
    const said = by === undefined ? because : `by ${by}`;
    ledger.set(key, {
      run,
      key,
      suffix,
      status,
      fingerprint: fingerprint ?? known?.fingerprint ?? '',
      guarantee: guarantee ?? known?.guarantee ?? 'none',
      step,
      history: [
        ...(known?.history ?? []),
        {
          event: event.type,
          branch: event.metadata.branch ?? 'main',
          revision: event.revision,
          at: event.at,
          attemptId,
          ...(said === undefined ? {} : { because: said }),
        },
      ],
    });
  }
  return [...ledger.values()];
}

const statusAfter: { readonly [type: string]: EffectView['status'] | undefined } = {
  EffectIntended: 'intended',
  EffectConfirmed: 'confirmed',
  EffectAbsent: 'absent',
  EffectUnknown: 'unknown',
};

/** What the four events have between them. */
interface Told {
  readonly key: string;
  readonly suffix: number;
  readonly step: string;
  readonly attemptId: Id;
  readonly fingerprint?: string;
  readonly guarantee?: string;
  readonly by?: string;
  readonly because?: string;
}
