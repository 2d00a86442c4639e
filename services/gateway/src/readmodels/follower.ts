import type { Clock, EventStore, Position, Tail, Timer } from '@cairn/ports';
import type { ReadModels } from './read-models.js';
import { foldedTypes } from './read-models.js';

/** How long after the tail broke it is opened again. */
const REOPEN_MS = 1_000;

/** Keeps the read models folded: opens the store's tail and opens it again where it broke. */
export class Follower {
  private tail: Tail | undefined;
  private reopening: Timer | undefined;
  private position: Position | 'start' = 'start';
  private behindSince: number | undefined;
  private stopped = false;
  private readonly first: Promise<void>;
  private caughtUpOnce = (): void => undefined;

  constructor(
    private readonly parts: {
      readonly store: EventStore;
      readonly clock: Clock;
      readonly models: ReadModels;
      readonly onFault: (fault: unknown) => void;
    },
  ) {
    this.first = new Promise((resolve) => {
      this.caughtUpOnce = resolve;
    });
    this.behindSince = parts.clock.monotonicMs();
  }

  /** Resolves when everything that was stored before has been folded. */
  start(): Promise<void> {
    this.open();
    return this.first;
  }

  /** Milliseconds since the models were last level with the store; 0 while they are. */
  lagMs(): number {
    return this.behindSince === undefined ? 0 : this.parts.clock.monotonicMs() - this.behindSince;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.reopening?.cancel();
    await this.tail?.stop();
  }

  private open(): void {
    const { store, clock, models } = this.parts;
    this.tail = store.tail(foldedTypes, this.position, {
      deliver: (events) => {
        this.behindSince ??= clock.monotonicMs();
        for (const { event } of events) models.apply(event);
        const last = events.at(-1);
        if (last !== undefined) this.position = last.position;
      },
      caughtUp: () => {
        this.behindSince = undefined;
        this.caughtUpOnce();
      },
      onFault: (fault) => {
        this.parts.onFault(fault);
        this.behindSince ??= clock.monotonicMs();
        if (!this.stopped) this.reopening = clock.after(REOPEN_MS, () => this.open());
      },
    });
  }
}
