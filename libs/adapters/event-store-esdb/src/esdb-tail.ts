import type { StoredEvent } from '@cairn/kernel';
import { StoreFault, type Clock, type Randomness, type Tail, type TailedEvent, type TailReader, type Timer } from '@cairn/ports';
import { AllSubscription } from './all-subscription.js';
import type { ClientHolder } from './client.js';
import { isOurs, storedOf } from './event-codec.js';
import type { FreshHead } from './fresh-head.js';
import { GapWatch } from './gap-watch.js';
import { isEventRecord, typeFilter } from './layout.js';
import { comparePositions, positionText, type LogPosition } from './position.js';
import type { LogRecord, Reading } from './reading.js';

/** Events of one `deliver` at most: as the other adapters do it. */
const BATCH_MAX = 500;
/** What waits here for a slow reader at most; then the subscription is paused, and the server drops it if that lasts. */
const QUEUE_EVENTS_MAX = 2_048;
const QUEUE_UNITS_MAX = 8 * 1_048_576;
/** How soon after a delivery the tail asks whether that was all, and how often it asks when nothing comes: a subscription may be dead. */
const ASK_AFTER_DELIVERY_MS = 50;
const ASK_IDLE_MS = 2_000;

export interface TailParts {
  readonly holder: ClientHolder;
  readonly reading: Reading;
  readonly head: FreshHead;
  readonly randomness: Randomness;
  readonly forget: (tail: EsdbTail) => void;
}

/** One reader of all streams: a subscription that heals itself, a bounded queue, and the question whether that was all. */
export class EsdbTail implements Tail {
  private readonly clock: Clock;
  private readonly wanted: ReadonlySet<string> | undefined;
  private readonly subscription: AllSubscription;
  private readonly gap: GapWatch;
  private queue: TailedEvent[] = [];
  private queuedUnits = 0;
  private pumping: Promise<void> | undefined;
  private asking = false;
  private askAgain = false;
  /** The end of the log as it was after the last question; when all up to there is delivered the reader is told. */
  private target: LogPosition | 'empty' | undefined;
  private timer: Timer | undefined;
  private stopped = false;

  constructor(
    private readonly parts: TailParts,
    types: readonly string[] | 'all',
    private readonly after: LogPosition | undefined,
    private readonly reader: TailReader,
  ) {
    this.clock = parts.holder.clock;
    this.wanted = types === 'all' ? undefined : new Set(types);
    this.subscription = new AllSubscription(parts.holder, parts.randomness, typeFilter(types), after, {
      event: (record) => this.received(record),
      checkpoint: () => this.announce(),
      live: () => this.gap.look(),
      failed: (fault) => this.fail(fault),
    });
    this.gap = new GapWatch(this.clock, parts.reading, this.subscription, {
      target: () => (this.stopped || this.target === 'empty' ? undefined : this.target),
      isWanted: (record) => this.isWanted(record),
      moved: () => this.announce(),
    });
    this.ask();
  }

  nudge(): void {
    this.ask();
  }

  async stop(): Promise<void> {
    this.end();
    await this.pumping;
  }

  /** Ends the tail for good, telling its reader. */
  fail(fault: unknown): void {
    if (this.stopped) return;
    this.end();
    this.reader.onFault(fault);
  }

  private received(record: LogRecord): void {
    if (this.stopped || !this.isWanted(record)) return this.announce();
    let event: StoredEvent;
    try {
      event = storedOf(record);
    } catch (fault) {
      return this.fail(fault);
    }
    this.queue.push({ event, position: positionText(record.position) });
    this.queuedUnits += event.body.length;
    if (this.queue.length >= QUEUE_EVENTS_MAX || this.queuedUnits >= QUEUE_UNITS_MAX) this.subscription.setPaused(true);
    this.pumping ??= this.pump();
  }

  private async pump(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve)); // What comes in one turn is one batch.
    try {
      while (this.queue.length > 0 && !this.stopped) {
        const batch = this.queue.splice(0, BATCH_MAX);
        for (const { event } of batch) this.queuedUnits -= event.body.length;
        await this.reader.deliver(batch);
        if (this.queue.length < QUEUE_EVENTS_MAX / 2 && this.queuedUnits < QUEUE_UNITS_MAX / 2) this.subscription.setPaused(false);
      }
    } catch (fault) {
      this.fail(fault);
    } finally {
      this.pumping = undefined;
    }
    if (this.target === undefined) this.askLater(ASK_AFTER_DELIVERY_MS);
    else this.announce();
  }

  private ask(): void {
    if (this.stopped) return;
    this.target = undefined; // It was the end before somebody asked again.
    this.askAgain = this.asking;
    if (this.asking) return;
    this.asking = true;
    this.parts.head
      .read()
      .then(
        (head) => this.answered(head),
        () => undefined, // The store is away; the tail asks again when it is idle.
      )
      .finally(() => {
        this.asking = false;
        if (this.askAgain) this.ask();
        else this.askLater(ASK_IDLE_MS);
      });
  }

  private answered(head: LogPosition | undefined): void {
    if (this.after !== undefined && (head === undefined || comparePositions(head, this.after) < 0)) {
      const where = `position ${positionText(this.after)} lies beyond the end of the log of EventStoreDB at ${this.parts.holder.address}`;
      return this.fail(new StoreFault('stream_corrupt', `${where}: it is not of this database`));
    }
    if (this.askAgain || this.stopped) return;
    this.target = head ?? 'empty';
    this.announce();
    this.gap.look();
  }

  /** Tells the reader that it is level, if it is. */
  private announce(): void {
    const { target, subscription } = this;
    if (target === undefined || this.stopped || this.queue.length > 0 || this.pumping !== undefined) return;
    if (target !== 'empty' && (subscription.position === undefined || comparePositions(subscription.position, target) < 0)) return;
    this.target = undefined;
    this.reader.caughtUp?.();
  }

  private askLater(delayMs: number): void {
    this.timer?.cancel();
    if (!this.stopped) this.timer = this.clock.after(delayMs, () => (this.target === undefined ? this.ask() : this.askLater(ASK_IDLE_MS)));
  }

  private isWanted(record: LogRecord): boolean {
    return (this.wanted === undefined || this.wanted.has(record.type)) && isEventRecord(record) && isOurs(record);
  }

  private end(): void {
    this.stopped = true;
    this.queue = [];
    this.timer?.cancel();
    this.subscription.stop();
    this.parts.forget(this);
  }
}
