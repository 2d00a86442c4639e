import type { ExpectedRevision, Revision, StoredEvent, StreamName } from '@cairn/kernel';

/** Bytes of one append at most (sum of bodies): EventStoreDB's `MaxAppendSize`, so no adapter may take more. */
export const APPEND_BYTES_MAX = 1_048_576;
/** Bytes of one event's body at most (I-34): larger things are artifacts. */
export const EVENT_BYTES_MAX = 262_144;
/** Events of one append at most. Far above what a decision gives; keeps an append a bounded piece of work. */
export const APPEND_EVENTS_MAX = 4_096;

/** Opaque to everybody but the adapter that gave it. Text, since EventStoreDB's positions do not fit a number. */
export type Position = string;

export type AppendResult =
  | { readonly kind: 'appended'; readonly revision: Revision }
  /** Somebody else's events stand there. `actual` is the stream's last revision as seen by the refusal. */
  | { readonly kind: 'conflict'; readonly actual: ExpectedRevision };

export interface TailedEvent {
  readonly event: StoredEvent;
  /** Where this event stands in the order of all commits. A tail that is opened `after` it goes on with the next one. */
  readonly position: Position;
}

/** Infrastructure went wrong. `append_unknown`: it may be stored; re-read, look for your ids, decide anew (W-1). */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  constructor(
    readonly code: 'store_unavailable' | 'append_unknown' | 'append_too_large' | 'stream_corrupt',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * The authority. It promises no more than EventStoreDB can do on every adapter: no listing of streams, no query by content, no
 * transaction over streams. Events come sealed (`sealAppend`), so their ids and bytes are the writer's.
 */
export interface EventStore {
  /**
   * Stores all of `events` in `stream` behind exactly `expected`, or none of them.
   *
   * Crash: durable (fsynced) before the promise resolves; a crash before that leaves all or nothing.
   * Duplicate: the same ids at the same expected revision answer `appended` with the original revision and store nothing, also
   * after later appends; other ids there are a `conflict`.
   * Reorder: appends to one stream are ordered by their expected revisions alone.
   * Concurrent writer: of two at one revision exactly one is `appended`, the other gets `conflict`; another stream's conflict never
   * touches this append, even when both share a durable commit.
   *
   * Throws `StoreFault`: `append_too_large` (nothing stored), `store_unavailable` (nothing stored), `append_unknown` (perhaps stored).
   */
  append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult>;

  /**
   * The events of a stream from revision `from` (default 0) to `to` inclusive (default: the last), in order; empty if there is none.
   * Sees every append that was acknowledged before the call. Two reads agree on their common prefix. Throws `StoreFault`.
   */
  read(stream: StreamName, from?: Revision, to?: Revision): Promise<readonly StoredEvent[]>;

  /**
   * Follows all streams: events whose type is one of `types` (`'all'`: every event), after `after` (`'start'`: from the first).
   *
   * Crash: nothing is remembered; the caller keeps a bookmark and opens again after it.
   * Duplicate: at least once; an event may come again after a resubscription inside the adapter.
   * Reorder: commit order; within a stream by revision without a gap. May lag behind appends, never skips.
   * Concurrent writer: appends of other processes are seen too.
   *
   * `deliver` is called with one or more events; the next batch waits until its promise resolves. If it rejects the tail ends with
   * that error in `onFault` and delivers nothing more. `caughtUp` is called whenever there is nothing more to deliver for now.
   */
  tail(types: readonly string[] | 'all', after: Position | 'start', reader: TailReader): Tail;

  /** Position and id of the newest event that exists, or `undefined` in an empty store. For "has my tail seen all that I wrote?". */
  newest(): Promise<Position | undefined>;

  /** A named bookmark's text, or `undefined`. Bookmarks are small, overwritten, and as durable as an event when the promise resolves. */
  readBookmark(name: string): Promise<string | undefined>;
  writeBookmark(name: string, value: string): Promise<void>;

  /** Resolves when nothing is under way any more; later calls throw `store_unavailable`. */
  close(): Promise<void>;
}

export interface TailReader {
  readonly deliver: (events: readonly TailedEvent[]) => void | Promise<void>;
  readonly caughtUp?: () => void;
  /** The tail has ended for good, because of the store or of `deliver`. */
  readonly onFault: (fault: unknown) => void;
}

export interface Tail {
  /** Looks for new events now instead of at the next poll. A hint: a lost one costs one poll. */
  nudge(): void;
  /** No `deliver` begins after this; resolves when the one under way has ended. */
  stop(): Promise<void>;
}
