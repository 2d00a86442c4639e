import type { StoreFault, Tail, TailedEvent, TailReader } from '@cairn/ports';
import { PAGE_EVENTS, type Reader } from './reader.js';

/** What a tail that is behind holds in memory at most; then it goes back to the file, so a slow reader costs nobody memory. */
const QUEUE_EVENTS_MAX = 2_048;
const QUEUE_UNITS_MAX = 8 * 1_048_576;

export interface TailSource {
  /** Runs one synchronous piece of reading as soon as the file lets it. */
  readonly read: <T>(work: (reader: Reader) => T) => Promise<T>;
  readonly forget: (tail: LibsqlTail) => void;
  /** Sends every tail to the file if another process has committed since the last look. */
  readonly peek: () => void;
}

/**
 * One reader of all streams. What this process appends is handed over from memory, as long as that goes on where the tail stands;
 * what others append, or what was missed, is read from the file.
 */
export class LibsqlTail implements Tail {
  private readonly wanted: ReadonlySet<string> | undefined;
  private readonly wantedJson: string | undefined;
  private queue: TailedEvent[] = [];
  private queuedUnits = 0;
  /** Every event up to here was delivered, is in the queue, or is not wanted. */
  private covered: number;
  /** There may be something in the file behind `covered`. */
  private behind = true;
  private woken = false;
  private stopped = false;
  private pumping: Promise<void> | undefined;

  constructor(
    private readonly source: TailSource,
    types: readonly string[] | 'all',
    after: number,
    private readonly reader: TailReader,
  ) {
    this.wanted = types === 'all' ? undefined : new Set(types);
    this.wantedJson = types === 'all' ? undefined : JSON.stringify(types);
    this.covered = after;
    this.wake();
  }

  /** This process has committed these events; `first` is the position of the first. */
  offer(first: number, events: readonly TailedEvent[]): void {
    if (this.behind) return; // They are in the file, where the tail is reading.
    if (first !== this.covered + 1 || this.queue.length + events.length > QUEUE_EVENTS_MAX || this.queuedUnits > QUEUE_UNITS_MAX)
      return this.look();
    this.covered += events.length;
    let some = false;
    for (const tailed of events) {
      if (this.wanted !== undefined && !this.wanted.has(tailed.event.type)) continue;
      this.queue.push(tailed);
      this.queuedUnits += tailed.event.body.length;
      some = true;
    }
    if (some) this.wake();
  }

  /** Somebody else has committed, or may have. */
  look(): void {
    this.behind = true;
    this.wake();
  }

  /** What this process committed was offered already: only another process's commits are worth a look into the file. */
  nudge(): void {
    this.source.peek();
    this.wake();
  }

  async stop(): Promise<void> {
    this.end();
    await this.pumping;
  }

  fail(fault: StoreFault): void {
    if (this.stopped) return;
    this.end();
    this.reader.onFault(fault);
  }

  private wake(): void {
    if (this.stopped) return;
    this.woken = true;
    this.pumping ??= this.pump();
  }

  private async pump(): Promise<void> {
    await Promise.resolve(); // The reader never runs inside `append` or `tail`.
    try {
      while (this.woken && !this.stopped) {
        this.woken = false;
        for (let batch = await this.next(); batch !== undefined; batch = await this.next()) {
          if (batch.length > 0) await this.reader.deliver(batch);
        }
        if (!this.stopped && !this.woken) this.reader.caughtUp?.();
      }
    } catch (fault) {
      this.end();
      this.reader.onFault(fault);
    } finally {
      this.pumping = undefined;
    }
  }

  /** From memory, else from the file; undefined when there is nothing more to look at. */
  private async next(): Promise<readonly TailedEvent[] | undefined> {
    if (this.stopped) return undefined;
    if (this.queue.length > 0) {
      const batch = this.queue.length <= PAGE_EVENTS ? this.queue : this.queue.slice(0, PAGE_EVENTS);
      this.queue = batch === this.queue ? [] : this.queue.slice(PAGE_EVENTS);
      for (const { event } of batch) this.queuedUnits -= event.body.length;
      return batch;
    }
    if (!this.behind) return undefined;
    const events = await this.source.read((file) => {
      const page = file.page(this.wantedJson, this.covered);
      this.covered = page.to; // In the same turn as the reading: a commit after it is offered, and goes on here.
      this.behind = !page.complete;
      return page.events;
    });
    await new Promise<void>((resolve) => setImmediate(resolve)); // A long catch-up leaves turns to the others.
    return this.stopped ? undefined : events;
  }

  private end(): void {
    this.stopped = true;
    this.queue = [];
    this.source.forget(this);
  }
}
