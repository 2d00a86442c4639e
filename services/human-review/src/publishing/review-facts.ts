import { subjects, type ReviewFact } from '@cairn/contracts';
import type { ReviewOpened } from '@cairn/domain-review';
import { categoryOf, idOfStream, invariant, type JsonObject, type StoredEvent } from '@cairn/kernel';
import type { EventStore, OutgoingMessage } from '@cairn/ports';

/**
 * What the bus is told of an event of `review-<reviewId>`: its fact, which names the run that asks as well. Nothing of an event of the same
 * name in a run: execution tells that. Throws `StoreFault`.
 */
export async function reviewMessages(event: StoredEvent, store: EventStore): Promise<readonly OutgoingMessage[]> {
  if (categoryOf(event.stream) !== 'review') return [];
  const [opened] = event.type === 'ReviewOpened' ? [event] : await store.read(event.stream, 0, 0);
  invariant(opened?.type === 'ReviewOpened', `${event.stream} begins with what the run asks`);
  const { run: runId, branch, step } = opened.data as unknown as ReviewOpened['data'];
  const { ns } = event.metadata;
  const reviewId = idOfStream(event.stream);
  const { revision, eventId, type, at } = event;
  const fact: ReviewFact = { ns, reviewId, runId, branch, step, revision, eventId, event: type, at };
  return [{ subject: subjects.fact(ns, 'review', type, reviewId), id: eventId, body: fact as unknown as JsonObject }];
}
