import { rebuildBeside, type FoldReport, type Rebuildable } from '@cairn/application';
import type { Clock, EventStore, Position, Tail, Timer } from '@cairn/ports';
import type { ReadModels } from './read-models.js';
import { foldedTypes } from './read-models.js';

/** How long after the tail broke it is opened again. */
const REOPEN_MS = 1_000;

/** Keeps the read models folded: opens the store's tail and opens it again where it broke. */
export class Follower implements Rebuildable {
  readonly fold = 'lists and lifecycle metrics';
  private tail: Tail | undefined;
  private reopening: Timer | undefined;
  private position: Position | 'start' = 'start';
  private behindSince: number | undefined;
  private stopped = false;
  private folded = 0;
  private quiet = false;
  private readonly watchers = new Set<() => void>();
  /** Told when there is nothing more to fold for now. */
  private waiting: (() => void)[] = [];
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

  /** Looks for new events now instead of at the next poll. */
  nudge(): void {
    this.tail?.nudge();
  }

  /** Milliseconds since the models were last level with the store; 0 while they are. */
  lagMs(): number {
    return this.behindSince === undefined ? 0 : this.parts.clock.monotonicMs() - this.behindSince;
  }

  /** Events folded so far, repeated ones too. */
  foldedCount(): number {
    return this.folded;
  }

  /** Resolves when everything that this process has stored by now is folded. Not while the store is away. */
  level(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.tail?.nudge(); // `caughtUp` comes after what is under way, and what was stored before is.
    });
  }

  /** Folds anew beside the lists and compares: nothing is put away of them, so that there is nothing to drop. */
  rebuild(): Promise<FoldReport> {
    const { models } = this.parts;
    return rebuildBeside(this.parts, {
      fold: this.fold,
      types: foldedTypes,
      place: () => (this.stopped ? undefined : { position: this.position, quiet: this.quiet }),
      lines: () => models.lines(),
      fresh: () => models.fresh(),
      nudge: () => this.nudge(),
      adopt: (anew) => models.adopt(anew),
      watch: (moved) => {
        this.watchers.add(moved);
        return () => this.watchers.delete(moved);
      },
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.tellWaiting();
    this.reopening?.cancel();
    await this.tail?.stop();
  }

  private open(): void {
    const { store, clock, models } = this.parts;
    this.tail = store.tail(foldedTypes, this.position, {
      deliver: (events) => {
        this.behindSince ??= clock.monotonicMs();
        this.quiet = false;
        for (const { event, position } of events) {
          models.fold(event);
          this.position = position; // After each: a tail that breaks here goes on behind it.
          this.folded += 1;
          if (this.watchers.size > 0) this.tellWatchers();
        }
      },
      caughtUp: () => {
        this.behindSince = undefined;
        this.caughtUpOnce();
        this.quiet = true;
        this.tellWatchers();
        this.tellWaiting();
      },
      onFault: (fault) => {
        this.parts.onFault(fault);
        this.behindSince ??= clock.monotonicMs();
        this.quiet = false;
        if (!this.stopped) this.reopening = clock.after(REOPEN_MS, () => this.open());
      },
    });
  }

  private tellWatchers(): void {
    for (const moved of this.watchers) moved();
  }

  private tellWaiting(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
