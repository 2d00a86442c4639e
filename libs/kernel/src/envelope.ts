import { canon, type Json, type JsonObject } from './canonical.js';
import { sha256Hex } from './digest.js';
import { idOf, type Id } from './ids.js';
import type { Instant } from './instants.js';

/** An event as a decider gives it: its name, the version of its data, its data. */
export interface DomainEvent<T extends string = string, V extends number = number, D = JsonObject> {
  readonly type: T;
  readonly version: V;
  readonly data: D;
}

export type StreamName = string;
/** Position of an event in its stream, from 0. */
export type Revision = number;
/** What the writer believes the stream's last revision to be. There is no "any". */
export type ExpectedRevision = Revision | 'no_stream';

/** What every stored event carries beside its body (`history.md` §1). Enough to recompute ids, digests and the chain. */
export interface EventMetadata {
  readonly eventId: Id;
  readonly schemaVersion: number;
  readonly ns: string;
  readonly runId?: Id;
  readonly branch?: string;
  readonly revision: Revision;
  readonly at: Instant;
  readonly actor: string;
  readonly causationId: string;
  readonly correlationId: string;
  /** Revision of the first event of the append that stored this one, and how many events that append had. */
  readonly appendFirst: Revision;
  readonly appendCount: number;
  /** Empty for the first event of a stream; the parent's hash for `BranchOpened`. */
  readonly prevHash: string;
  readonly hash: string;
  readonly traceparent?: string;
}

/** An event with its canonical bytes, id and place in the chain: what is appended and what is read back. */
export interface StoredEvent {
  readonly stream: StreamName;
  readonly revision: Revision;
  readonly eventId: Id;
  readonly type: string;
  readonly version: number;
  readonly at: Instant;
  readonly actor: string;
  readonly causationId: string;
  readonly data: JsonObject;
  /** canon({type, version, at, actor, causationId, data}): the bytes that are hashed. */
  readonly body: string;
  readonly metadata: EventMetadata;
}

/** What is equal for all events of one append. */
export interface AppendContext {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  /** Hash of the stream's last event; for a new branch the parent's hash at the fork; else ''. */
  readonly prevHash: string;
  readonly ns: string;
  readonly runId?: Id;
  readonly branch?: string;
  readonly at: Instant;
  readonly actor: string;
  readonly causationId: string;
  readonly traceparent?: string;
}

/**
 * Gives the events of one append their bytes, ids and chain hashes. Pure: equal input gives equal ids, which is what makes a
 * repeated append recognisable; other content at the same revision gives other ids (W-2 of `reliability.md`).
 */
export function sealAppend(context: AppendContext, events: readonly DomainEvent<string, number, unknown>[]): StoredEvent[] {
  const first = context.expected === 'no_stream' ? 0 : context.expected + 1;
  const head = `{"actor":${JSON.stringify(context.actor)},"at":"${context.at}","causationId":${JSON.stringify(context.causationId)},"data":`;
  const bodies = events.map((event) => `${head}${canon(event.data)},"type":"${event.type}","version":${event.version}}`);
  const digests = bodies.map(sha256Hex);
  const appendDigest = sha256Hex(canon(digests));
  let prevHash = context.prevHash;
  return events.map((event, i) => {
    const revision = first + i;
    const eventId = idOf('event', context.stream, revision, appendDigest);
    const hash = chainHash(prevHash, eventId, digests[i]!);
    const metadata: EventMetadata = {
      eventId,
      schemaVersion: event.version,
      ns: context.ns,
      ...(context.runId === undefined ? {} : { runId: context.runId }),
      ...(context.branch === undefined ? {} : { branch: context.branch }),
      revision,
      at: context.at,
      actor: context.actor,
      causationId: context.causationId,
      correlationId: context.runId ?? idOfStream(context.stream),
      appendFirst: first,
      appendCount: events.length,
      prevHash,
      hash,
      ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    };
    prevHash = hash;
    return {
      stream: context.stream,
      revision,
      eventId,
      type: event.type,
      version: event.version,
      at: context.at,
      actor: context.actor,
      causationId: context.causationId,
      data: event.data as JsonObject,
      body: bodies[i]!,
      metadata,
    };
  });
}

/** sha256hex(utf8(prevHash + eventId + bodyDigest)). */
export function chainHash(prevHash: string, eventId: Id, bodyDigest: string): string {
  return sha256Hex(prevHash + eventId + bodyDigest);
}

/** What stands behind a stream's category: `receipt-<this>`. */
export function idOfStream(stream: StreamName): string {
  return stream.slice(stream.indexOf('-') + 1);
}

/** What stands before the first `-`: the kind of stream, which has one writer. */
export function categoryOf(stream: StreamName): string {
  const dash = stream.indexOf('-');
  return dash < 0 ? stream : stream.slice(0, dash);
}

/** An event read back from its canonical body and metadata. */
export function eventFromBody(stream: StreamName, body: string, metadata: EventMetadata): StoredEvent {
  const parsed = JSON.parse(body) as { type: string; version: number; at: Instant; actor: string; causationId: string; data: Json };
  return {
    stream,
    revision: metadata.revision,
    eventId: metadata.eventId,
    type: parsed.type,
    version: parsed.version,
    at: parsed.at,
    actor: parsed.actor,
    causationId: parsed.causationId,
    data: parsed.data as JsonObject,
    body,
    metadata,
  };
}
