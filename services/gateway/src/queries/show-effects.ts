import type { EffectView, Page } from '@cairn/contracts';
import type { LateResultRecorded } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from './run-reader.js';

interface ShowEffectsParts {
  readonly reader: RunReader;
}

/** `GET runs/{id}/effects`: what the run did to the world outside, by key, over all branches, in the order in which the keys came up. */
export async function listEffects({ reader }: ShowEffectsParts, ns: string, run: Id, query: Query): Promise<Page<EffectView>> {
  readQuery(query, []);
  const { events } = await reader.whole(ns, run);
  return { items: effectsOf(run, events) };
}

/** `GET runs/{id}/effects/{key}`: the key as the definition gives it, without a suffix. */
export async function showEffect({ reader }: ShowEffectsParts, ns: string, run: Id, key: string, query: Query): Promise<EffectView> {
  readQuery(query, []);
  const { events } = await reader.whole(ns, run);
  const found = effectsOf(run, events).find((effect) => effect.key === key);
  return found ?? refuse('effect_not_found', 'The run has intended no effect with that key.');
}

/**
 * The ledger with all that the history says of each key; what it shows of a key is its newest intent. What a handler says when its attempt
 * is over stands there as well, and changes no status.
 */
export function effectsOf(run: Id, events: readonly StoredEvent[]): EffectView[] {
  const ledger = new Map<string, EffectView>();
  const keys = new Map<Id, string>();
  for (const event of events) {
    if (event.type === 'LateResultRecorded') {
      const told = event.data as unknown as LateResultRecorded['data'];
      const effect = ledger.get(keys.get(told.attemptId) ?? '');
      if (effect !== undefined)
        ledger.set(effect.key, withLine(effect, event, told.attemptId, `late: ${told.reply.kind}, ${told.because}`));
      continue;
    }
    const status = statusAfter[event.type];
    if (status === undefined) continue;
    const { key, suffix, step, attemptId, fingerprint, guarantee, by, because } = event.data as unknown as Told;
    const known = ledger.get(key);
    const said = by === undefined ? because : `by ${by}${because === undefined ? '' : `: ${because}`}`;
    keys.set(attemptId, key);
    const effect: EffectView = {
      run,
      key,
      suffix,
      status,
      fingerprint: fingerprint ?? known?.fingerprint ?? '',
      guarantee: guarantee ?? known?.guarantee ?? 'none',
      step,
      history: known?.history ?? [],
    };
    ledger.set(key, withLine(effect, event, attemptId, said));
  }
  return [...ledger.values()];
}

function withLine(effect: EffectView, event: StoredEvent, attemptId: Id, because: string | undefined): EffectView {
  const line = {
    event: event.type,
    branch: event.metadata.branch ?? 'main',
    revision: event.revision,
    at: event.at,
    attemptId,
    ...(because === undefined ? {} : { because }),
  };
  return { ...effect, history: [...effect.history, line] };
}

const statusAfter: { readonly [type: string]: EffectView['status'] | undefined } = {
  EffectIntended: 'intended',
  EffectConfirmed: 'confirmed',
  EffectAbsent: 'absent',
  EffectUnknown: 'unknown',
  EffectCompensated: 'compensated',
};

/** What the five events have between them. */
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
