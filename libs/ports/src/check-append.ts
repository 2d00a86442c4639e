import { invariant, type ExpectedRevision, type StoredEvent, type StreamName } from '@cairn/kernel';
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX, StoreFault } from './event-store.js';

/** UTF-8 takes at most this many bytes for one UTF-16 code unit, so most appends need no exact count. */
const BYTES_PER_UNIT_MAX = 3;

/**
 * What every event store refuses before it looks at the stream, so that all refuse the same. Throws `append_too_large` for the
 * limits, `InvariantBroken` for what no caller may do: an empty append, or events that were sealed for another place.
 */
export function checkAppend(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): void {
  invariant(events.length > 0, `append to ${stream}: no events`);
  const first = expected === 'no_stream' ? 0 : expected + 1;
  let units = 0;
  let longest = 0;
  for (let i = 0; i < events.length; i++) {
    const event = events[i]!;
    const { revision, stream: sealedFor, body, metadata } = event;
    invariant(
      sealedFor === stream && revision === first + i,
      `append to ${stream}: event ${i} was sealed for ${sealedFor}@${revision}, not for revision ${first + i}`,
    );
    invariant(
      metadata.revision === revision &&
        metadata.eventId === event.eventId &&
        metadata.schemaVersion === event.version &&
        metadata.at === event.at &&
        metadata.actor === event.actor &&
        metadata.causationId === event.causationId,
      `append to ${stream}: the metadata of event ${i} is not that of its body`,
    );
    units += body.length;
    if (body.length > longest) longest = body.length;
  }
  if (events.length > APPEND_EVENTS_MAX)
    throw new StoreFault('append_too_large', `append to ${stream}: ${events.length} events, at most ${APPEND_EVENTS_MAX}`);
  if (longest * BYTES_PER_UNIT_MAX <= EVENT_BYTES_MAX && units * BYTES_PER_UNIT_MAX <= APPEND_BYTES_MAX) return;
  checkBytes(stream, events);
}

function checkBytes(stream: StreamName, events: readonly StoredEvent[]): void {
  let sum = 0;
  for (const { revision, body } of events) {
    const bytes = Buffer.byteLength(body, 'utf8');
    if (bytes > EVENT_BYTES_MAX)
      throw new StoreFault('append_too_large', `event ${stream}@${revision}: ${bytes} bytes, at most ${EVENT_BYTES_MAX}`);
    sum += bytes;
  }
  if (sum > APPEND_BYTES_MAX) throw new StoreFault('append_too_large', `append to ${stream}: ${sum} bytes, at most ${APPEND_BYTES_MAX}`);
}
