import { invariant, type ExpectedRevision, type Revision, type StoredEvent, type StreamName } from '@cairn/kernel';
import {
  checkAppend,
  type AppendResult,
  type Clock,
  type EventStore,
  type Position,
  type StoreFault,
  type Tail,
  type TailReader,
  type Timer,
} from '@cairn/ports';
import { unavailable, whenFree, type Connection } from './database.js';
import { LibsqlTail, type TailSource } from './libsql-tail.js';
import { PAGE_EVENTS, Reader } from './reader.js';
import { Writer, type Committed } from './writer.js';

/** Composes writer, reader and tails of one file. Several processes may have it open; none relies on being alone. */
export class LibsqlEventStore implements EventStore {
  private readonly writer: Writer;
  private readonly reader: Reader;
  private readonly tails = new Set<LibsqlTail>();
  private readonly source: TailSource;
  private poll: Timer | undefined;
  private tailedVersion: number;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
    private readonly pollMs: number,
  ) {
    this.reader = new Reader(connection);
    this.tailedVersion = this.reader.version();
    this.writer = new Writer(connection, clock, {
      committed: (committed) => this.offer(committed),
      stopped: (fault) => this.failTails(fault),
    });
    this.source = {
      read: (work) => this.whenFree(work),
      peek: () => this.peek(),
      forget: (tail) => {
        this.tails.delete(tail);
        if (this.tails.size === 0) this.stopPolling();
      },
    };
  }

  async append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    checkAppend(stream, expected, events);
    this.mustBeOpen();
    return this.writer.append(stream, expected, events);
  }

  async read(stream: StreamName, from: Revision = 0, to: Revision = Number.MAX_SAFE_INTEGER): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = [];
    for (;;) {
      const last = events.at(-1);
      const next = last === undefined ? from : last.revision + 1;
      if (next > to) return events;
      const page = await this.whenFree((reader) => reader.stream(stream, next, to, last?.metadata.hash));
      if (events.length === 0 && page.length < PAGE_EVENTS - 1) return page;
      events.push(...page);
      if (page.length < PAGE_EVENTS - 1) return events;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  tail(types: readonly string[] | 'all', after: Position | 'start', reader: TailReader): Tail {
    const position = after === 'start' ? 0 : Number(after);
    invariant(Number.isSafeInteger(position) && position >= 0, `tail after ${after}: not a position of this store`);
    const tail = new LibsqlTail(this.source, types, position, reader);
    const refusal = this.refusal();
    if (refusal !== undefined) {
      queueMicrotask(() => tail.fail(refusal));
      return tail;
    }
    this.tails.add(tail);
    this.poll ??= this.clock.after(this.pollMs, this.look);
    return tail;
  }

  async newest(): Promise<Position | undefined> {
    const newest = await this.whenFree((reader) => reader.newest());
    return newest === 0 ? undefined : String(newest);
  }

  readBookmark(name: string): Promise<string | undefined> {
    return this.whenFree((reader) => reader.bookmark(name));
  }

  async writeBookmark(name: string, value: string): Promise<void> {
    this.mustBeOpen();
    return this.writer.writeBookmark(name, value);
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await this.writer.drained();
    await Promise.all([...this.tails].map((tail) => tail.stop()));
    this.stopPolling();
    this.connection.close();
  }

  /** What this process has just committed goes to its tails from memory: not read again, not parsed again. */
  private offer({ first, events }: Committed): void {
    if (this.tails.size === 0) return;
    const tailed = events.map((event, i) => ({ event, position: String(first + i) }));
    for (const tail of this.tails) tail.offer(first, tailed);
  }

  /** Whether other processes have committed since the last look. */
  private readonly look = (): void => {
    this.poll = this.clock.after(this.pollMs, this.look);
    this.peek();
  };

  private peek(): void {
    const version = this.versionOr(this.tailedVersion);
    if (version === this.tailedVersion) return;
    this.tailedVersion = version;
    for (const tail of this.tails) tail.look();
  }

  /** A file that is busy or broken shows itself to the reading that follows; the poll goes on. */
  private versionOr(last: number): number {
    try {
      return this.reader.version();
    } catch {
      return last;
    }
  }

  private stopPolling(): void {
    this.poll?.cancel();
    this.poll = undefined;
  }

  private failTails(fault: StoreFault): void {
    for (const tail of this.tails) tail.fail(fault);
  }

  private async whenFree<T>(work: (reader: Reader) => T): Promise<T> {
    this.mustBeOpen();
    return whenFree(this.clock, () => {
      this.mustBeOpen(); // It may have been closed while another process held the file.
      return work(this.reader);
    });
  }

  private mustBeOpen(): void {
    const refusal = this.refusal();
    if (refusal !== undefined) throw refusal;
  }

  private refusal(): StoreFault | undefined {
    return this.closing === undefined ? this.writer.stopped : unavailable('the event store is closed');
  }
}
