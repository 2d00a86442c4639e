import { canon, idOf, sha256Hex, type StoredEvent } from '@cairn/kernel';
import type { Report } from './report.js';

/**
 * I-1 to I-3 of one stream, over bytes alone: nothing here knows what an event means. `from`: where what is at hand of the stream begins,
 * and what its first event is chained to.
 */
export function checkLog(
  stream: string,
  stored: readonly StoredEvent[],
  seenIds: Set<string>,
  report: Report,
  from: { readonly revision: number; readonly prevHash: string } = { revision: 0, prevHash: '' },
): void {
  let { prevHash } = from;
  stored.forEach((event, position) => {
    const i = from.revision + position;
    const { metadata, body, eventId } = event;
    if (event.revision !== i || metadata.revision !== i || event.stream !== stream) {
      report('I-1', i, `the event at position ${i} of ${stream} calls itself ${event.stream}@${metadata.revision}`);
    }
    if (metadata.prevHash !== prevHash) report('I-2', i, 'prevHash is not the hash of the event before');
    if (metadata.hash !== sha256Hex(prevHash + eventId + sha256Hex(body)))
      report('I-2', i, 'hash does not follow from prevHash, event id and body');
    const differs = differenceOfBody(event);
    if (differs !== undefined) report('I-2', i, `the event's ${differs} is not what its body says`);
    if (seenIds.has(eventId)) report('I-3', i, `event id ${eventId} stands twice in this run`);
    seenIds.add(eventId);
    prevHash = metadata.hash;
  });
  checkIds(stream, stored, from.revision, report);
}

/** Which field of an event is not what its hashed bytes say. */
function differenceOfBody(event: StoredEvent): string | undefined {
  const { type, version, at, actor, causationId, data, body, metadata } = event;
  if (canon({ type, version, at, actor, causationId, data }) !== body) return 'body';
  if (metadata.at !== at) return 'at';
  if (metadata.actor !== actor) return 'actor';
  if (metadata.causationId !== causationId) return 'causationId';
  if (metadata.schemaVersion !== version) return 'schemaVersion';
  return metadata.eventId === event.eventId ? undefined : 'eventId';
}

/** I-3: ids follow from stream, revision and the digest of the whole append (W-2), and appends are whole. */
function checkIds(stream: string, stored: readonly StoredEvent[], from: number, report: Report): void {
  for (let first = from; first < from + stored.length;) {
    const { appendFirst, appendCount } = stored[first - from]!.metadata;
    const events = stored.slice(first - from, first - from + appendCount);
    const whole = appendFirst === first && events.length === appendCount && appendCount > 0;
    if (!whole || events.some(({ metadata }) => metadata.appendFirst !== appendFirst || metadata.appendCount !== appendCount)) {
      report('I-3', first, `the append of ${appendCount} events at ${appendFirst} is not whole`);
      first += Math.max(1, appendCount);
      continue;
    }
    const digest = sha256Hex(canon(events.map(({ body }) => sha256Hex(body))));
    events.forEach(({ eventId }, i) => {
      if (eventId !== idOf('event', stream, first + i, digest))
        report('I-3', first + i, 'the event id does not follow from stream, revision and append');
    });
    first += appendCount;
  }
}

/** I-1: a stream that was read before begins as it did then. */
export function checkPrefix(earlier: readonly StoredEvent[], stored: readonly StoredEvent[], report: Report): void {
  earlier.forEach((event, i) => {
    if (stored[i]?.eventId !== event.eventId) report('I-1', i, `an earlier read found ${event.type} ${event.eventId} here`);
  });
}
