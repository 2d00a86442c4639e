import { eventFromBody, idOfStream, type EventMetadata, type Revision, type StoredEvent, type StreamName } from '@cairn/kernel';
import { StoreFault } from '@cairn/ports';
import type { Value } from './database.js';

/** What a stream's row holds: equal for all its events, or else in an event's `extra`. */
export interface StreamRow {
  readonly name: StreamName;
  readonly ns: string;
  readonly runId: string | undefined;
  readonly branch: string | undefined;
}

export const EVENT_COLUMNS = 'e.pos, e.revision, e.append_first, e.append_count, e.event_id, e.hash, e.extra, e.body';
export type EventRow = readonly [
  pos: number,
  revision: Revision,
  appendFirst: Revision,
  appendCount: number,
  eventId: string,
  hash: string,
  extra: string | null,
  body: string,
];

/** Metadata that the body, the stream and the row before do not tell; `null`: absent although they would tell one. */
type Extra = { [K in 'ns' | 'runId' | 'branch' | 'correlationId' | 'prevHash' | 'traceparent']?: string | null };

/** Undefined for nearly every event: what can be derived is not written down a second time. */
export function extraOf(event: StoredEvent, stream: StreamRow, prevHash: string): string | null {
  const { ns, runId, branch, correlationId, prevHash: prev, traceparent } = event.metadata;
  if (
    traceparent === undefined &&
    prev === prevHash &&
    ns === stream.ns &&
    runId === stream.runId &&
    branch === stream.branch &&
    correlationId === correlationOf(stream)
  ) {
    return null;
  }
  const extra: Extra = {};
  if (traceparent !== undefined) extra.traceparent = traceparent;
  if (prev !== prevHash) extra.prevHash = prev;
  if (ns !== stream.ns) extra.ns = ns;
  if (runId !== stream.runId) extra.runId = runId ?? null;
  if (branch !== stream.branch) extra.branch = branch ?? null;
  if (correlationId !== correlationOf(stream)) extra.correlationId = correlationId;
  return JSON.stringify(extra);
}

/** The event as it was appended. Throws `stream_corrupt`, naming stream and revision, if the row is not what we ever write. */
export function eventOfRow(row: readonly Value[], stream: StreamRow, prevHash: string): StoredEvent {
  const [, revision, appendFirst, appendCount, eventId, hash, extraText, body] = row as EventRow;
  try {
    const extra: Extra = extraText === null ? {} : (JSON.parse(extraText) as Extra);
    const runId = extra.runId === undefined ? stream.runId : (extra.runId ?? undefined);
    const branch = extra.branch === undefined ? stream.branch : (extra.branch ?? undefined);
    const metadata: { -readonly [K in keyof EventMetadata]: EventMetadata[K] } = {
      eventId,
      schemaVersion: 0,
      ns: extra.ns ?? stream.ns,
      ...(runId === undefined ? {} : { runId }),
      ...(branch === undefined ? {} : { branch }),
      revision,
      at: '',
      actor: '',
      causationId: '',
      correlationId: extra.correlationId ?? correlationOf(stream),
      appendFirst,
      appendCount,
      prevHash: extra.prevHash ?? prevHash,
      hash,
      ...(typeof extra.traceparent === 'string' ? { traceparent: extra.traceparent } : {}),
    };
    const event = eventFromBody(stream.name, body, metadata);
    metadata.schemaVersion = event.version;
    metadata.at = event.at;
    metadata.actor = event.actor;
    metadata.causationId = event.causationId;
    return event;
  } catch (error) {
    throw new StoreFault('stream_corrupt', `${stream.name}@${revision}: what is stored is no event`, { cause: error });
  }
}

function correlationOf(stream: StreamRow): string {
  return stream.runId ?? idOfStream(stream.name);
}

/** A row of `streams` beginning at a column: name, ns, run_id, branch. */
export function streamOfRow(row: readonly Value[], at: number): StreamRow {
  const [name, ns, runId, branch] = row.slice(at, at + 4) as [string, string, string | null, string | null];
  return { name, ns, runId: runId ?? undefined, branch: branch ?? undefined };
}
