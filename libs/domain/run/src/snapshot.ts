import { PersistentMap } from '@cairn/kernel';
import { initialState, type RunState } from './state.js';

/** Raised with every change of what a state holds: an older snapshot is then not read. Snapshots are a cache, never the truth. */
export const SNAPSHOT_VERSION = 11;

const pathMaps = [
  'steps',
  'attempts',
  'closed',
  'waits',
  'retries',
  'reviews',
  'checkpoints',
  'changed',
  'choices',
  'carried',
  'scope',
  'loops',
  'detours',
] as const;
const shadowMaps = ['steps', 'spend'] as const;
const ledgerMaps = ['used', 'spend', 'effects', 'late', 'branches'] as const;

/** A state as text. Reading it back gives a state that folds and digests like the one that was written. */
export function serializeState(state: RunState): string {
  return JSON.stringify({
    ...state,
    digested: null, // The next digest counts everything once.
    path: { ...state.path, ...listed(state.path, pathMaps) },
    ledger: { ...state.ledger, ...listed(state.ledger, ledgerMaps) },
    shadow: state.shadow === null ? null : { ...state.shadow, ...listed(state.shadow, shadowMaps) },
  });
}

/** Throws `SyntaxError` or `TypeError` on anything that `serializeState` of this version did not write. */
export function deserializeState(text: string): RunState {
  const raw = JSON.parse(text) as RunState;
  const empty = initialState(raw.runId, raw.branch);
  return {
    ...empty,
    ...raw,
    path: { ...raw.path, ...mapped(raw.path, pathMaps) },
    ledger: { ...raw.ledger, ...mapped(raw.ledger, ledgerMaps) },
    shadow: raw.shadow === null ? null : { ...raw.shadow, ...mapped(raw.shadow, shadowMaps) },
  };
}

function listed<T, K extends keyof T>(half: T, names: readonly K[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, [...(half[name] as PersistentMap<unknown>).entries()]]));
}

function mapped<T, K extends keyof T>(half: T, names: readonly K[]): { [P in K]: T[P] } {
  return Object.fromEntries(names.map((name) => [name, PersistentMap.of(half[name] as unknown as [string, unknown][])])) as {
    [P in K]: T[P];
  };
}
