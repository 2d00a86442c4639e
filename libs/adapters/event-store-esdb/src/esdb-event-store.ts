import { END } from '@eventstore/db-client';
import type { ExpectedRevision, Revision, StoredEvent, StreamName } from '@cairn/kernel';
import {
  checkAppend,
  StoreFault,
  type AppendResult,
  type EventStore,
  type Position,
  type Randomness,
  type Tail,
  type TailReader,
} from '@cairn/ports';
import type { Appends } from './appends.js';
import type { Bookmarks } from './bookmarks.js';
import type { ClientHolder } from './client.js';
import { unavailable } from './errors.js';
import { EsdbTail } from './esdb-tail.js';
import { isOurs, proposedOf, storedOf } from './event-codec.js';
import type { FreshHead } from './fresh-head.js';
import { isEventRecord } from './layout.js';
import { comparePositions, parsePosition, positionText, type LogPosition } from './position.js';
import type { Reading } from './reading.js';

/** Records of one look backwards for the newest event. */
const NEWEST_PAGE = 64;

export interface StoreParts {
  readonly holder: ClientHolder;
  readonly reading: Reading;
  readonly appends: Appends;
  readonly bookmarks: Bookmarks;
  readonly head: FreshHead;
  readonly randomness: Randomness;
}

/** Composes appends, reads, tails and bookmarks of one handle on the process's client. */
export class EsdbEventStore implements EventStore {
  private readonly tails = new Set<EsdbTail>();
  private readonly underWay = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;
  /** What the last look found, and how far it looked: the next one need not go behind that. */
  private newestKnown: { readonly position: LogPosition | undefined; readonly upTo: LogPosition } | undefined;

  constructor(private readonly parts: StoreParts) {}

  async append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    checkAppend(stream, expected, events);
    return this.during(() => this.parts.appends.append(stream, expected, events.map(proposedOf)));
  }

  async read(stream: StreamName, from: Revision = 0, to: Revision = Number.MAX_SAFE_INTEGER): Promise<readonly StoredEvent[]> {
    return this.during(async () => {
      if (to < from) return [];
      const records = await this.parts.reading.stream(stream, from, Math.min(to - from + 1, Number.MAX_SAFE_INTEGER));
      return records.map((record, i) => {
        if (Number(record.revision) !== from + i) throw new StoreFault('stream_corrupt', `${stream}@${from + i}: the event is gone`);
        return storedOf(record);
      });
    });
  }

  tail(types: readonly string[] | 'all', after: Position | 'start', reader: TailReader): Tail {
    const position = after === 'start' ? undefined : parsePosition(after);
    if (this.closing !== undefined) {
      queueMicrotask(() => reader.onFault(closed()));
      return { nudge: () => undefined, stop: async () => undefined };
    }
    const tail = new EsdbTail({ ...this.parts, forget: (ended) => this.tails.delete(ended) }, types, position, reader);
    this.tails.add(tail);
    return tail;
  }

  async newest(): Promise<Position | undefined> {
    return this.during(async () => {
      const known = this.newestKnown;
      let upTo: LogPosition | undefined;
      let before: LogPosition | typeof END = END;
      for (;;) {
        const records = await this.parts.reading.before(before, NEWEST_PAGE);
        upTo ??= records[0]?.position;
        const found = records.find((record) => isBeforeOrAt(record.position, known?.upTo) || (isEventRecord(record) && isOurs(record)));
        const last = records.at(-1);
        if (found === undefined && records.length === NEWEST_PAGE && last !== undefined) {
          before = last.position;
          continue;
        }
        const position = found === undefined || isBeforeOrAt(found.position, known?.upTo) ? known?.position : found.position;
        if (upTo !== undefined) this.newestKnown = { position, upTo };
        return position === undefined ? undefined : positionText(position);
      }
    });
  }

  readBookmark(name: string): Promise<string | undefined> {
    return this.during(() => this.parts.bookmarks.read(name));
  }

  writeBookmark(name: string, value: string): Promise<void> {
    return this.during(() => this.parts.bookmarks.write(name, value));
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await Promise.all([...this.tails].map((tail) => tail.stop()));
    await Promise.allSettled([...this.underWay]);
  }

  private async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing !== undefined) throw closed();
    const promise = work();
    this.underWay.add(promise);
    try {
      return await promise;
    } finally {
      this.underWay.delete(promise);
    }
  }
}

function isBeforeOrAt(position: LogPosition, other: LogPosition | undefined): boolean {
  return other !== undefined && comparePositions(position, other) <= 0;
}

function closed(): StoreFault {
  return unavailable('the event store is closed');
}
