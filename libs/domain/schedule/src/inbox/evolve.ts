import type { JsonObject } from '@cairn/kernel';
import type { EventKept } from './events.js';

/** Events kept for one type and key, oldest first. */
export type InboxState = readonly EventKept['data'][];

/** Events kept of one type and key (B-17). The newest stay: what a long-lived key has used up long ago makes room first. */
export const KEPT_MAX = 100;

export const emptyInbox: InboxState = [];

export function evolveInbox(state: InboxState, event: { readonly type: string; readonly data: JsonObject }): InboxState {
  if (event.type !== 'EventKept') return state;
  const kept = event.data as unknown as EventKept['data'];
  const others = state.filter(({ receiptId }) => receiptId !== kept.receiptId);
  return [...others, kept].slice(-KEPT_MAX);
}
