import type { EpochMs, StoredEvent } from '@cairn/kernel';
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
/** Events under way to the bus at most. An acknowledgement takes a round trip, and a bus gets no faster beyond some 64 (`facts.md` §2.2). */
export const RELAY_WINDOW = 64;

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

interface UnderWay {
  readonly position: Position;
  readonly at: EpochMs;
  acknowledged: boolean;
}

/** A relay from one start to its stop. */
export class Relaying {
  private tail: Tail | undefined;
  /** Sent and not yet, with all before it, acknowledged; in commit order. */
  private readonly underWay: UnderWay[] = [];
  private sent: Position | 'start' = 'start';
  private published: Position | 'start' = 'start';
  private written: Position | 'start' = 'start';
  private timer: Timer | undefined;
  private readonly pauses = new Map<Timer, () => void>();
  private readonly publishing = new Set<Promise<void>>();
  private roomMade: (() => void) | undefined;
  private stopped = false;

  constructor(private readonly options: RelayOptions) {}

  async start(): Promise<void> {
    const bookmark = await this.options.store.readBookmark(this.bookmarkName);
    this.sent = this.published = this.written = bookmark ?? 'start';
    this.follow();
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    for (const [timer, end] of this.pauses) {
      timer.cancel();
      end();
    }
    this.roomMade?.();
    await this.tail?.stop();
    await Promise.all(this.publishing);
    await this.bookmark();
  }

  lagMs(): number {
    const [oldest] = this.underWay;
    return oldest === undefined ? 0 : Math.max(0, this.options.clock.now() - oldest.at);
  }

  private get bookmarkName(): string {
    return `relay/${this.options.name}`;
  }

  private follow(): void {
    if (this.stopped) return;
    this.tail = this.options.store.tail(this.options.types, this.sent, {
      deliver: (events) => this.deliver(events),
      onFault: (fault) => {
        this.countError(fault);
        void this.pause().then(() => this.follow());
      },
    });
  }

  private async deliver(events: readonly TailedEvent[]): Promise<void> {
    if (this.options.mutants?.has('M-6')) await this.bookmarkAhead(events); // Planted bug: bookmark before publish.
    for (const { event, position } of events) {
      const messages = await this.untilDone(() => this.options.messagesOf(event));
      while (this.underWay.length >= RELAY_WINDOW && !this.stopped) await new Promise<void>((resolve) => (this.roomMade = resolve));
      if (this.stopped || messages === undefined) return;
      this.send(event, position, messages);
    }
  }

  private send(event: StoredEvent, position: Position, messages: readonly OutgoingMessage[]): void {
    const entry = { position, at: Date.parse(event.at), acknowledged: messages.length === 0 };
    this.sent = position;
    this.underWay.push(entry);
    if (entry.acknowledged) return this.advance();
    const publishing = Promise.all(messages.map((message) => this.publish(message))).then((all) => {
      this.publishing.delete(publishing);
      entry.acknowledged = all.every(Boolean);
      this.advance();
    });
    this.publishing.add(publishing);
  }

  private async publish(message: OutgoingMessage): Promise<boolean> {
    return (await this.untilDone(() => this.options.bus.publish(message).then(() => true))) ?? false;
  }

  /** The bookmark may go to the last event before the first that is not acknowledged. */
  private advance(): void {
    for (let first = this.underWay[0]; first?.acknowledged === true; first = this.underWay[0]) {
      this.published = first.position;
      this.underWay.shift();
    }
    this.roomMade?.();
  }

  /** Repeats what met a fault, or a bug: facts are contiguous, so what cannot be told holds up what comes after it. Undefined once stopped. */
  private async untilDone<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.stopped) {
      try {
        return await work();
      } catch (error) {
        this.countError(error);
        await this.pause();
      }
    }
    return undefined;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.stopped) return resolve();
      const timer = this.options.clock.after(RELAY_RETRY_MS, () => {
        this.pauses.delete(timer);
        resolve();
      });
      this.pauses.set(timer, resolve);
    });
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
      this.countError(error);
    }
  }

  private countError(error: unknown): void {
    this.options.metrics.count('cairn_relay_errors_total', { relay: this.options.name, kind: isFault(error) ? 'fault' : 'bug' });
  }
}
