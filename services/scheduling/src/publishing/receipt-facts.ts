import { subjects } from '@cairn/contracts';
import type { ReceiptSettled } from '@cairn/domain-schedule';
import type { JsonObject, StoredEvent } from '@cairn/kernel';
import type { OutgoingMessage } from '@cairn/ports';

/** `ReceiptSettled` as a fact: a doorbell for who published the event. The receipt itself is asked for. */
export function receiptFact(event: StoredEvent): OutgoingMessage {
  const { receiptId, outcome } = event.data as unknown as ReceiptSettled['data'];
  const { ns } = event.metadata;
  const body: JsonObject = { ns, receiptId, revision: event.revision, eventId: event.eventId, event: event.type, at: event.at, outcome };
  return { subject: subjects.fact(ns, 'receipt', event.type, receiptId), id: event.eventId, body };
}
