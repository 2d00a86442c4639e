import { subjects } from '@cairn/contracts';
import type { ReceiptSettled, ReceiptView } from '@cairn/domain-schedule';
import type { Id, JsonObject, StoredEvent } from '@cairn/kernel';
import type { OutgoingMessage } from '@cairn/ports';

const factOf = (ns: string, receiptId: Id, id: Id, body: object): OutgoingMessage => ({
  subject: subjects.fact(ns, 'receipt', 'ReceiptSettled', receiptId),
  id,
  body: { ns, receiptId, ...body } as JsonObject,
});

/** `ReceiptSettled` as a fact, for whoever published the event: the line that its receipt has grown by (`capabilities.md` §5.3). */
export function receiptFact({ metadata, revision, eventId, type, at, data }: StoredEvent): OutgoingMessage {
  const { receiptId, ...line } = data as unknown as ReceiptSettled['data'];
  // The receipt's stream begins with its event, so a line's revision is its number.
  return factOf(metadata.ns, receiptId, eventId, { revision, eventId, event: type, at, count: revision, ...line });
}

/** The whole receipt as a fact, for a publisher who sent the event again and may have missed it: the bus keeps nothing for ever. */
export function receiptAgain(ns: string, { receiptId, ...view }: ReceiptView, id: Id): OutgoingMessage {
  return factOf(ns, receiptId, id, view);
}
