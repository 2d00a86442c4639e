import type { StoredEvent } from '@cairn/kernel';
import {
  isFault,
  type Bus,
  type Clock,
  type EventStore,
  type Metrics,
  type OutgoingMessage,
  type Position,
  type Tail,
  type TailedEvent,
  type Timer,
} from '@cairn/ports';

/** A bookmark is a durable write: often enough that little is published again after a crash, seldom enough to cost nothing. */
export const BOOKMARK_INTERVAL_MS = 1_000;
/** Pause after the bus or the store refused. */
export const RELAY_RETRY_MS = 250;

export interface RelayOptions {
  /** Of the bookmark. */
  readonly name: string;
  readonly types: readonly string[];
  /** What is told of a stored event: follows from the history alone. */
  readonly messagesOf: (event: StoredEvent) => Promise<readonly OutgoingMessage[]>;
  readonly store: EventStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** For the simulation's mutants alone. */
  readonly mutants?: ReadonlySet<string>;
}

/**
 * Tells the bus what was stored: in commit order, each event at least once. The bookmark follows the acknowledgements and is
 * contiguous, so a crash in between publishes again and skips nothing (F-3, F-4). Two relays at once do no harm.
 */
export class Relay {
  private tail: Tail | undefined;
  private published: Position | 'start' = 'start';
  private written: Position | 'start' = 'start';
  private timer: Timer | undefined;
  private retry: Timer | undefined;
  private stopped = false;

  constructor(private readonly options: RelayOptions) {}

  /** Goes on after the bookmark. Throws `StoreFault`. */
  async start(): Promise<void> {
    const bookmark = await this.options.store.readBookmark(this.bookmarkName);
    this.published = bookmark ?? 'start';
    this.written = this.published;
    this.follow();
    this.schedule();
  }

  /** Publishes nothing more; what is published is bookmarked if the store still answers. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    this.retry?.cancel();
    await this.tail?.stop();
    await this.bookmark();
  }

  private get bookmarkName(): string {
    return `relay/${this.options.name}`;
  }

  private follow(): void {
    if (this.stopped) return;
    const { store, types, clock, metrics, name } = this.options;
    this.tail = store.tail(types, this.published, {
      deliver: (events) => this.publish(events),
      onFault: (fault) => {
        metrics.count('cairn_relay_errors_total', { relay: name, kind: isFault(fault) ? 'fault' : 'bug' });
        this.retry = clock.after(RELAY_RETRY_MS, () => this.follow());
      },
    });
  }

  private async publish(events: readonly TailedEvent[]): Promise<void> {
    const { bus, messagesOf, mutants } = this.options;
    if (mutants?.has('M-6')) await this.bookmarkAhead(events); // Planted bug: bookmark before publish.
    for (const { event, position } of events) {
      for (const message of await messagesOf(event)) await bus.publish(message);
      this.published = position;
    }
  }

  private async bookmarkAhead(events: readonly TailedEvent[]): Promise<void> {
    const last = events.at(-1);
    if (last !== undefined) await this.options.store.writeBookmark(this.bookmarkName, last.position);
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = this.options.clock.after(BOOKMARK_INTERVAL_MS, () => {
      void this.bookmark().then(() => this.schedule());
    });
  }

  private async bookmark(): Promise<void> {
    const position = this.published;
    if (position === this.written || position === 'start') return;
    try {
      await this.options.store.writeBookmark(this.bookmarkName, position);
      this.written = position;
    } catch (error) {
      this.options.metrics.count('cairn_relay_errors_total', { relay: this.options.name, kind: isFault(error) ? 'fault' : 'bug' });
    }
  }
}
