import {
  sealAppend,
  type AppendContext,
  type Decision,
  type DomainEvent,
  type ExpectedRevision,
  type StoredEvent,
  type StreamName,
} from '@cairn/kernel';
import { StoreFault, type EventStore } from '@cairn/ports';
import { crashPoint } from './crash-point.js';

/** A stream that has lost this many races in a row is not one that a loop should go on fighting for. */
export const TRANSACT_ATTEMPTS_MAX = 16;

/** What is known of a stream: its state and where the next append goes. */
export interface StreamHead<S> {
  readonly state: S;
  readonly expected: ExpectedRevision;
  /** Hash of the last event, '' for none. */
  readonly prevHash: string;
}

/** One decision about one small stream. */
export interface Transaction<S, E extends DomainEvent<string, number, unknown>, R> {
  readonly stream: StreamName;
  readonly initial: S;
  readonly evolve: (state: S, event: StoredEvent) => S;
  /** Pure. Called again with a newer state when somebody else was quicker. */
  readonly decide: (state: S) => Decision<E, R>;
  /** Everything of the append but its place. */
  readonly context: Omit<AppendContext, 'stream' | 'expected' | 'prevHash'>;
  /** What the caller believes the stream to be, instead of a first read. Wrong beliefs cost a conflict and a read. */
  readonly believed?: StreamHead<S>;
}

export type TransactOutcome<S, R> =
  | { readonly kind: 'accepted'; readonly events: readonly StoredEvent[]; readonly head: StreamHead<S> }
  | { readonly kind: 'nothing'; readonly because: string; readonly head: StreamHead<S> }
  | { readonly kind: 'rejected'; readonly rejection: R; readonly head: StreamHead<S> };

/** Reads a whole stream and folds it. Throws `StoreFault`. */
export async function readHead<S>(
  store: EventStore,
  stream: StreamName,
  initial: S,
  evolve: (state: S, event: StoredEvent) => S,
): Promise<StreamHead<S>> {
  return headAfter({ state: initial, expected: 'no_stream', prevHash: '' }, await store.read(stream), evolve);
}

/**
 * Read, fold, decide, append at the exact revision; on a conflict from the beginning. An unknown outcome is cleared up by reading
 * the stream and looking for our own events there (W-1 of `reliability.md`): they are stored, or the decision is made anew.
 * Throws `StoreFault`; `store_unavailable` after `TRANSACT_ATTEMPTS_MAX` lost races.
 */
export async function transact<S, E extends DomainEvent<string, number, unknown>, R>(
  store: EventStore,
  transaction: Transaction<S, E, R>,
): Promise<TransactOutcome<S, R>> {
  const { stream, initial, evolve, decide, context } = transaction;
  let head = transaction.believed ?? (await readHead(store, stream, initial, evolve));
  for (let attempt = 1; attempt <= TRANSACT_ATTEMPTS_MAX; attempt++) {
    crashPoint('folded');
    const decision = decide(head.state);
    crashPoint('decided');
    if (decision.kind !== 'accepted') return { ...decision, head };
    if (decision.events.length === 0) return { kind: 'accepted', events: [], head };
    const sealed = sealAppend({ ...context, stream, expected: head.expected, prevHash: head.prevHash }, decision.events);
    const outcome = await appendKnowing(store, stream, head.expected, sealed);
    if (outcome === 'stored') return { kind: 'accepted', events: sealed, head: headAfter(head, sealed, evolve) };
    const stored = await store.read(stream);
    head = headAfter({ state: initial, expected: 'no_stream', prevHash: '' }, stored, evolve);
    if (outcome === 'unknown' && holds(stored, sealed)) return { kind: 'accepted', events: sealed, head };
  }
  throw new StoreFault('store_unavailable', `append to ${stream}: lost ${TRANSACT_ATTEMPTS_MAX} races`);
}

async function appendKnowing(
  store: EventStore,
  stream: StreamName,
  expected: ExpectedRevision,
  events: readonly StoredEvent[],
): Promise<'stored' | 'conflict' | 'unknown'> {
  try {
    const result = await store.append(stream, expected, events);
    return result.kind === 'appended' ? 'stored' : 'conflict';
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'append_unknown') return 'unknown';
    throw fault;
  }
}

const holds = (stored: readonly StoredEvent[], ours: readonly StoredEvent[]): boolean =>
  ours.every(({ revision, eventId }) => stored[revision]?.eventId === eventId);

function headAfter<S>(before: StreamHead<S>, events: readonly StoredEvent[], evolve: (state: S, event: StoredEvent) => S): StreamHead<S> {
  const last = events.at(-1);
  if (last === undefined) return before;
  return { state: events.reduce(evolve, before.state), expected: last.revision, prevHash: last.metadata.hash };
}
