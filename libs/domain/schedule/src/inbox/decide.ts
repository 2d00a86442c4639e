import { accepted, after, nothing, type Decision } from '@cairn/kernel';
import type { ReceiptState } from '../receipts/evolve.js';
import type { EventKept } from './events.js';
import type { InboxState } from './evolve.js';

/** How long an event is kept where no trigger says. */
export const KEEP_DEFAULT_MS = 7 * 86_400_000;

/** Keeps a received event for whoever waits later. `keepMs`: the longest that any applied definition declares for its type. */
export function keepEvent(state: InboxState, receipt: ReceiptState, keepMs: number): Decision<EventKept, never> {
  const { receiptId, type, key, source, id } = receipt.event;
  if (state.some((kept) => kept.receiptId === receiptId)) return nothing('duplicate');
  const data = { receiptId, type, key: key ?? '', source, id, receivedAt: receipt.at, until: after(receipt.at, keepMs) };
  return accepted([{ type: 'EventKept', version: 1, data }]);
}
