import type { Receipt } from '@cairn/contracts';
import { evolveReceipt, receiptView, type ReceiptState } from '@cairn/domain-schedule';
import { idOf, isExternalId, receiptStream, type Id } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';

/** `GET events/{receiptId}`: what became of an inbound event, from the receipt's own stream. */
export async function showReceipt(store: EventStore, ns: string, receiptId: Id): Promise<Receipt> {
  const events = await store.read(receiptStream(receiptId));
  let state: ReceiptState | undefined;
  for (const event of events) state = evolveReceipt(state, event);
  if (state === undefined || events[0]?.metadata.ns !== ns)
    return refuse('receipt_not_found', 'No event with that receipt was accepted in this namespace.');
  return receiptView(state);
}

/** `GET events?source=&id=`: the same, by what the sender knows. */
export function findReceipt(store: EventStore, ns: string, query: Query): Promise<Receipt> {
  const { source, id } = readQuery(query, ['source', 'id']);
  if (!isExternalId(source)) invalidParameter('source', 'must be the source of the event');
  if (!isExternalId(id)) invalidParameter('id', 'must be the id of the event');
  return showReceipt(store, ns, idOf('receipt', ns, source, id));
}
