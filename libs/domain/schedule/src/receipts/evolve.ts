import type { Id, Instant, JsonObject } from '@cairn/kernel';
import {
  outcomes,
  type EventReceived,
  type NearMissLine,
  type Outcome,
  type Problem,
  type ReceiptEvent,
  type ReceiptLine,
  type ReceiptRun,
} from './events.js';

/** A receipt's stream, folded. `undefined`: no such event was ever accepted. */
export interface ReceiptState {
  readonly event: EventReceived['data'];
  /** When it was accepted, by the clock of the instance that did. */
  readonly at: Instant;
  readonly lines: readonly ReceiptLine[];
}

/** What a receipt says (`capabilities.md` §5.3). */
export interface ReceiptView {
  readonly receiptId: Id;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly at: Instant;
  readonly outcome: Outcome | 'pending';
  readonly count: number;
  readonly runs: readonly ReceiptRun[];
  readonly keptUntil?: Instant;
  readonly nearMisses: readonly NearMissLine[];
  readonly problem?: Problem;
}

/** Near misses that a receipt shows at most. */
export const NEAR_MISSES_MAX = 5;

export type RecordedReceiptEvent = { readonly type: string; readonly at: Instant; readonly data: JsonObject };

export function evolveReceipt(state: ReceiptState | undefined, recorded: RecordedReceiptEvent): ReceiptState | undefined {
  const event = recorded as ReceiptEvent & RecordedReceiptEvent;
  switch (event.type) {
    case 'EventReceived':
      return { event: event.data, at: event.at, lines: [] };
    case 'ReceiptSettled':
      return state === undefined ? undefined : { ...state, lines: [...state.lines, event.data] };
  }
}

/** Whether anything was said about the event yet. A second sender's conflict says nothing about the first one's event. */
export const isSettled = (state: ReceiptState): boolean => state.lines.some((line) => line.problem?.code !== 'idempotency_conflict');

export function receiptView({ event, at, lines }: ReceiptState): ReceiptView {
  const strongest = lines.reduce<Outcome | undefined>(
    (best, { outcome }) => (best === undefined || outcomes.indexOf(outcome) < outcomes.indexOf(best) ? outcome : best),
    undefined,
  );
  const keptUntil = lines.findLast((line) => line.keptUntil !== undefined)?.keptUntil;
  const problem = lines.findLast((line) => line.outcome === strongest)?.problem;
  return {
    receiptId: event.receiptId,
    source: event.source,
    id: event.id,
    type: event.type,
    at,
    outcome: strongest ?? 'pending',
    count: lines.length,
    runs: distinct(lines.flatMap(({ runs }) => runs)),
    ...(keptUntil === undefined ? {} : { keptUntil }),
    nearMisses: lines.flatMap(({ nearMisses }) => nearMisses).slice(0, NEAR_MISSES_MAX),
    ...(problem === undefined ? {} : { problem }),
  };
}

function distinct(runs: readonly ReceiptRun[]): ReceiptRun[] {
  const seen = new Map(runs.map((run) => [`${run.run} ${run.branch ?? ''} ${run.wait ?? ''}`, run]));
  return [...seen.values()];
}
