import { canon, type EventMetadata, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { StoreFault } from '@cairn/ports';
import { idOfUuid, uuidOfId } from './uuid.js';

/** An event in the form in which it goes over the wire. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** The part of the client's recorded event that is read here. */
export interface Recorded {
  readonly streamId: string;
  readonly id: string;
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly isJson: boolean;
}

/** `data` is the canonical JSON inside the body; the rest of the body is in the metadata, so that both are plain to any client. */
export function proposedOf(event: StoredEvent): ProposedEvent {
  const { head, tail } = frameOf(event);
  const { metadata } = event;
  const text = JSON.stringify({ ...metadata, $correlationId: metadata.correlationId, $causationId: metadata.causationId });
  return {
    id: uuidOfId(event.eventId),
    type: event.type,
    isJson: true,
    data: Buffer.from(event.body.slice(head.length, event.body.length - tail.length), 'utf8'),
    metadata: Buffer.from(text, 'utf8'),
  };
}

/** The event as it was appended. Throws `stream_corrupt`, naming stream and revision, for what Cairn never writes. */
export function storedOf(recorded: Recorded): StoredEvent {
  const { streamId: stream, type, data } = recorded;
  const revision = Number(recorded.revision);
  const corrupt = (why: string): StoreFault => new StoreFault('stream_corrupt', `${stream}@${revision}: ${why}`);
  const metadata = metadataOf(recorded.metadata);
  if (!recorded.isJson || typeof data !== 'object' || data === null || metadata === undefined) throw corrupt('what is stored is no event');
  if (metadata.eventId !== idOfUuid(recorded.id)) throw corrupt('the id of its metadata is not its id');
  if (metadata.revision !== revision) throw corrupt(`its metadata was written for revision ${metadata.revision}`);
  const { schemaVersion: version, at, actor, causationId } = metadata;
  const { head, tail } = frameOf({ type, version, at, actor, causationId });
  // JavaScript moves integer keys to the front, so what was parsed is put in canonical order again.
  const body = `${head}${canonical(data as Json, corrupt)}${tail}`;
  return { stream, revision, eventId: metadata.eventId, type, version, at, actor, causationId, data: data as JsonObject, body, metadata };
}

function canonical(data: Json, corrupt: (why: string) => StoreFault): string {
  try {
    return canon(data);
  } catch {
    throw corrupt('its data has no canonical form');
  }
}

/** Whether the record was written by Cairn, whatever state it is in: a database may be shared. */
export function isOurs({ metadata }: Pick<Recorded, 'metadata'>): boolean {
  return typeof metadata === 'object' && metadata !== null && 'eventId' in metadata && 'appendFirst' in metadata;
}

/** What stands before and behind `data` in the canonical body. */
function frameOf(event: Pick<StoredEvent, 'type' | 'version' | 'at' | 'actor' | 'causationId'>): { head: string; tail: string } {
  const { type, version, at, actor, causationId } = event;
  return {
    head: `{"actor":${JSON.stringify(actor)},"at":${JSON.stringify(at)},"causationId":${JSON.stringify(causationId)},"data":`,
    tail: `,"type":${JSON.stringify(type)},"version":${version}}`,
  };
}

type Fields = { readonly [K in keyof EventMetadata]-?: 'string' | 'number' };
const FIELDS: Fields = {
  eventId: 'string',
  schemaVersion: 'number',
  ns: 'string',
  runId: 'string',
  branch: 'string',
  revision: 'number',
  at: 'string',
  actor: 'string',
  causationId: 'string',
  correlationId: 'string',
  appendFirst: 'number',
  appendCount: 'number',
  prevHash: 'string',
  hash: 'string',
  traceparent: 'string',
};
const OPTIONAL: ReadonlySet<string> = new Set(['runId', 'branch', 'traceparent']);

/** Our fields of it, without the copies for EventStoreDB's own tools; `undefined` if one is missing or of another kind. */
function metadataOf(value: unknown): EventMetadata | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(FIELDS)) {
    const field = (value as Record<string, unknown>)[name];
    if (field === undefined && OPTIONAL.has(name)) continue;
    if (typeof field !== kind) return undefined;
    found[name] = field;
  }
  return found as unknown as EventMetadata;
}
