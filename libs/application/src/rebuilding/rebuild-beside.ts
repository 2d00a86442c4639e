import type { StoredEvent } from '@cairn/kernel';
import type { Clock, EventStore, Position, Tail, TailedEvent, Timer } from '@cairn/ports';
import { compareFolds, type FoldReport } from './fold-report.js';

/** How often two folds are compared at positions that move on before a difference is believed… */
const MEETINGS_MAX = 5;
/** …with so long between them: a tail that was opened again tells events twice, and until it is through the fold is ahead of its position. */
const MEETING_PAUSE_MS = 500;
/** A rebuild that folds nothing and meets nobody for so long is given up: the store is away, or the live fold stands still. */
export const REBUILD_STILL_MS = 30_000;
/** After the store has ended the tail. */
const REOPEN_MS = 500;

/** What is folded, and can be told in canonical lines. */
export interface Folding {
  fold(event: StoredEvent): void;
  lines(): readonly string[];
}

/** Where a live fold stands. */
export interface FoldPlace {
  readonly position: Position | 'start';
  /** It has folded everything that the store had to give for now. */
  readonly quiet: boolean;
}

export interface LiveFold<F extends Folding> {
  readonly fold: string;
  readonly types: readonly string[];
  /** `undefined` while what it holds is not known to be this store's. */
  place(): FoldPlace | undefined;
  lines(): readonly string[];
  /** Empty, of the same kind. */
  fresh(): F;
  /** Called after each event that the live fold takes, and when it has caught up. Answers how to end that. */
  watch(moved: () => void): () => unknown;
  /** Looks for events now. */
  nudge(): void;
  /** Takes over what `anew` holds, in the same turn. */
  adopt(anew: F): void;
}

/**
 * Folds from the store's first event beside a live fold until both stand at the same position, and compares them there. Equal: the live
 * one stays. Different, and not only for a moment: the new one takes over. Never throws.
 */
export function rebuildBeside<F extends Folding>(
  ports: { readonly store: EventStore; readonly clock: Clock },
  live: LiveFold<F>,
): Promise<FoldReport> {
  return new Promise((resolve) => new Rebuilding(ports, live, resolve).start());
}

class Rebuilding<F extends Folding> {
  private readonly anew: F;
  private readonly begun: number;
  private tail: Tail | undefined;
  private position: Position | 'start' = 'start';
  private quiet = false;
  private events = 0;
  private meetings = 0;
  private metAt = Number.NEGATIVE_INFINITY;
  private movedAt: number;
  private watchdog: Timer | undefined;
  private reopening: Timer | undefined;
  private unwatch: () => unknown = () => undefined;
  private ended = false;

  constructor(
    private readonly ports: { readonly store: EventStore; readonly clock: Clock },
    private readonly live: LiveFold<F>,
    private readonly resolve: (report: FoldReport) => void,
  ) {
    this.anew = live.fresh();
    this.begun = this.movedAt = ports.clock.monotonicMs();
  }

  start(): void {
    this.unwatch = this.live.watch(() => this.meet());
    this.watch();
    this.follow();
  }

  private follow(): void {
    const { store, clock } = this.ports;
    this.tail = store.tail(this.live.types, this.position, {
      deliver: (events) => this.take(events),
      caughtUp: () => {
        this.quiet = true;
        this.live.nudge();
        this.meet();
      },
      onFault: () => {
        if (!this.ended) this.reopening = clock.after(REOPEN_MS, () => this.follow());
      },
    });
  }

  private take(events: readonly TailedEvent[]): void {
    this.quiet = false;
    this.movedAt = this.ports.clock.monotonicMs();
    for (const { event, position } of events) {
      if (this.ended) return;
      this.anew.fold(event);
      this.position = position;
      this.events += 1;
      this.meet();
    }
  }

  /** Compares where both have folded the same events. */
  private meet(): void {
    const { live, position, quiet } = this;
    if (this.ended) return;
    const place = live.place();
    if (place?.position !== position) return;
    const bothQuiet = quiet && place.quiet;
    if (position === 'start' && !bothQuiet) return; // Neither has begun.
    const now = this.ports.clock.monotonicMs();
    if (!bothQuiet && now - this.metAt < MEETING_PAUSE_MS) return;
    this.metAt = now;
    this.meetings += 1;
    const compared = compareFolds(live.lines(), this.anew.lines());
    if (!compared.equal && !bothQuiet && this.meetings < MEETINGS_MAX) return;
    if (!compared.equal) live.adopt(this.anew);
    this.end(compared);
  }

  private watch(): void {
    const { clock } = this.ports;
    this.watchdog = clock.after(REOPEN_MS, () => {
      this.tail?.nudge();
      this.live.nudge();
      if (clock.monotonicMs() - this.movedAt < REBUILD_STILL_MS) return this.watch();
      const problem = this.live.place() === undefined ? 'the live fold has not caught up with the store' : 'the store gives no events';
      this.end({ before: '', after: '', equal: false, differences: [], problem });
    });
  }

  private end(outcome: Pick<FoldReport, 'before' | 'after' | 'equal' | 'differences' | 'problem'>): void {
    if (this.ended) return;
    this.ended = true;
    this.unwatch();
    this.watchdog?.cancel();
    this.reopening?.cancel();
    const seconds = (this.ports.clock.monotonicMs() - this.begun) / MS_PER_S;
    void this.tail?.stop();
    this.resolve({ fold: this.live.fold, events: this.events, seconds, ...outcome });
  }
}

const MS_PER_S = 1_000;
