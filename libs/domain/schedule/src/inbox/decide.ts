import { accepted, after, nothing, type Decision } from '@cairn/kernel';
import type { EventReceived } from '../receipts/events.js';
import type { ReceiptState } from '../receipts/evolve.js';
import type { EventKept } from './events.js';
import type { InboxState } from './evolve.js';

/** How long an event is kept where no trigger says. */
export const KEEP_DEFAULT_MS = 7 * 86_400_000;

/** Type under which a signal is kept; its key is the run. No event from outside has it: a type holds no `/`. */
export const signalType = (name: string): string => `signal/${name}`;

/** What an event is kept under. */
export function inboxPlace({ target, type, key }: EventReceived['data']): { readonly type: string; readonly key: string } {
  return target?.kind === 'signal' ? { type: signalType(target.name), key: target.runId } : { type, key: key ?? '' };
}

/** Keeps a received event for whoever waits later. `keepMs`: the longest that any applied definition declares for its type. */
export function keepEvent(state: InboxState, receipt: ReceiptState, keepMs: number): Decision<EventKept, never> {
  const { receiptId, source, id } = receipt.event;
  if (state.some((kept) => kept.receiptId === receiptId)) return nothing('duplicate');
  const data = { receiptId, ...inboxPlace(receipt.event), source, id, receivedAt: receipt.at, until: after(receipt.at, keepMs) };
  return accepted([{ type: 'EventKept', version: 1, data }]);
}
