import type { StoredEvent } from '@cairn/kernel';
import type { Clock, EventStore, Metrics, NamedArtifacts, Position, Tail, TailedEvent, Timer } from '@cairn/ports';
import type { WorkingSetFold } from './working-set-fold.js';
import type { FoldReport } from './rebuilding/fold-report.js';
import { rebuildBeside, type FoldPlace, type LiveFold } from './rebuilding/rebuild-beside.js';
import type { Rebuildable } from './rebuilding/folds.js';
import { dropCheckpoint, readCheckpoint, writeCheckpoint, type CheckpointPlace } from './working-set-checkpoint.js';

/** A checkpoint is written when this many events were folded since the last one: about two seconds of folding them again. */
export const CHECKPOINT_EVENTS = 50_000;
/** And when something was folded and the last checkpoint is this old. */
export const CHECKPOINT_INTERVAL_MS = 30_000;
/** After the store has ended a tail, a new one is opened after this pause. */
export const TAIL_RETRY_MS = 1_000;

export interface WorkingSetListener {
  /** These events are folded, and so is everything before them. Never called while the set catches up. Must not throw. */
  onFolded(events: readonly StoredEvent[]): void;
  /** Everything that the store had is folded, at start or after an outage: time to walk the whole set. Must not throw. */
  onCaughtUp(): void;
  /** The index was not what the history says and is now (`rebuild`): what was derived from it is worth nothing. Must not throw. */
  onReplaced?(): void;
}

export interface WorkingSetPorts {
  readonly store: EventStore;
  /** Where checkpoints lie. */
  readonly disposables: NamedArtifacts;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * A service's index of its own unfinished business (`architecture.md` §4.3): a fold over the store's tail by event type, kept in
 * memory, from time to time put away so that a start need not fold everything. Disposable: the history gives it again.
 */
export class WorkingSet implements Rebuildable {
  private tail: Tail | undefined;
  private position: Position | 'start' = 'start';
  private before: Position | 'start' = 'start';
  private last: StoredEvent | undefined;
  /** A checkpoint was loaded whose last event has not yet come out of this very store. */
  private unproven: CheckpointPlace | undefined;
  private foldedSince = 0;
  private live = false;
  /** Nothing was delivered since the tail said that there is no more. */
  private quiet = false;
  /** Whoever rebuilds beside it, told of every step. */
  private readonly watchers = new Set<() => void>();
  /** While it is rebuilt nothing is put away: it may be wrong. */
  private rebuilding: Promise<FoldReport> | undefined;
  private stopped = false;
  private timer: Timer | undefined;
  private retry: Timer | undefined;
  private checkpointing: Promise<void> | undefined;
  private announceCaughtUp: () => void = () => undefined;
  /** Resolves when everything that stood in the store at the start is folded. */
  readonly caughtUp: Promise<void>;

  constructor(
    private readonly ports: WorkingSetPorts,
    private readonly index: WorkingSetFold,
    private readonly listener: WorkingSetListener,
  ) {
    this.caughtUp = new Promise((resolve) => (this.announceCaughtUp = resolve));
  }

  /** Loads the checkpoint, if it is one of this store and this fold, and follows the tail from there. Throws `StoreFault`. */
  async start(): Promise<void> {
    const found = await readCheckpoint(this.ports, this.index);
    if (this.stopped) return;
    if (found !== undefined && this.load(found.text)) {
      this.unproven = found.place;
      this.position = found.place.before;
    }
    this.follow();
    this.timer = this.ports.clock.after(CHECKPOINT_INTERVAL_MS, () => this.onInterval());
  }

  /** Whether everything that the store had lately is folded: only then may a service ring or settle. */
  get isLive(): boolean {
    return this.live;
  }

  /** Looks for new events now instead of at the next poll. */
  nudge(): void {
    this.tail?.nudge();
  }

  /** Puts the index away under its name. A second call while one is under way joins it. Throws faults of the store or the artifacts. */
  checkpoint(): Promise<void> {
    this.checkpointing ??= this.putAway().finally(() => (this.checkpointing = undefined));
    return this.checkpointing;
  }

  get fold(): string {
    return `working set ${this.index.name}`;
  }

  /** Drops the checkpoint, folds anew, compares, and puts away what the history says. A second call while one is under way joins it. */
  rebuild(): Promise<FoldReport> {
    this.rebuilding ??= this.foldAnew().finally(() => {
      this.rebuilding = undefined;
      if (!this.stopped) this.checkpointSoon();
    });
    return this.rebuilding;
  }

  /** Folds nothing more. Resolves after a last checkpoint was tried; that it failed costs the next start some time, no more. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.live = false;
    this.timer?.cancel();
    this.retry?.cancel();
    await this.tail?.stop();
    await this.checkpoint().catch(() => this.ports.metrics.count('cairn_working_set_checkpoint_faults_total', { set: this.index.name }));
  }

  private load(text: string): boolean {
    try {
      this.index.deserialize(text);
      return true;
    } catch {
      this.index.reset();
      return false;
    }
  }

  private follow(): void {
    const tail: Tail = this.ports.store.tail(this.index.types, this.position, {
      deliver: (events) => {
        if (this.tail === tail) this.take(events);
      },
      caughtUp: () => {
        if (this.tail === tail) this.onCaughtUp();
      },
      onFault: () => {
        if (this.tail === tail) this.onFault();
      },
    });
    this.tail = tail;
  }

  private take(events: readonly TailedEvent[]): void {
    let from = 0;
    this.quiet = false;
    if (this.unproven !== undefined) {
      const [first] = events;
      if (first === undefined) return;
      if (first.event.eventId !== this.unproven.eventId || first.position !== this.unproven.position) return this.startOver();
      this.unproven = undefined;
      this.advance(first);
      this.tellWatchers();
      from = 1; // That event is in the checkpoint.
    }
    for (let i = from; i < events.length; i++) {
      const tailed = events[i]!;
      this.index.fold(tailed.event);
      this.advance(tailed);
      if (this.watchers.size > 0) this.tellWatchers();
    }
    this.foldedSince += events.length - from;
    if (this.live && events.length > from) this.listener.onFolded(events.slice(from).map(({ event }) => event));
    if (this.foldedSince >= CHECKPOINT_EVENTS) this.checkpointSoon();
  }

  private advance(tailed: TailedEvent): void {
    this.before = this.position;
    this.position = tailed.position;
    this.last = tailed.event;
  }

  /** The checkpoint is of another store, or of this store before it was restored. */
  private startOver(): void {
    void this.tail?.stop();
    this.index.reset();
    this.unproven = undefined;
    this.position = 'start';
    this.before = 'start';
    this.last = undefined;
    this.foldedSince = 0;
    this.follow();
  }

  private onCaughtUp(): void {
    if (this.stopped) return;
    if (this.unproven !== undefined) return this.startOver(); // The store has nothing where the checkpoint's last event should be.
    this.quiet = true;
    this.tellWatchers();
    if (this.live) return;
    this.live = true;
    this.announceCaughtUp();
    this.listener.onCaughtUp();
  }

  private onFault(): void {
    if (this.stopped) return;
    this.live = false;
    this.ports.metrics.count('cairn_working_set_tail_faults_total', { set: this.index.name });
    this.retry = this.ports.clock.after(TAIL_RETRY_MS, () => this.follow());
  }

  private onInterval(): void {
    if (this.stopped) return;
    if (this.foldedSince > 0) this.checkpointSoon();
    this.timer = this.ports.clock.after(CHECKPOINT_INTERVAL_MS, () => this.onInterval());
  }

  private checkpointSoon(): void {
    if (this.checkpointing !== undefined) return;
    this.checkpoint().catch(() => this.ports.metrics.count('cairn_working_set_checkpoint_faults_total', { set: this.index.name }));
  }

  private async foldAnew(): Promise<FoldReport> {
    await this.checkpointing?.catch(() => undefined); // One that was under way is dropped with those before it.
    let report: FoldReport;
    try {
      await dropCheckpoint(this.ports.store, this.index);
      report = await rebuildBeside(this.ports, this.asLive());
    } catch (fault) {
      const problem = fault instanceof Error ? fault.message : 'unknown';
      return { fold: this.fold, events: 0, seconds: 0, before: '', after: '', equal: false, differences: [], problem };
    }
    if (report.problem === undefined) this.foldedSince = Math.max(1, this.foldedSince); // There is something to put away, whatever came since.
    return report;
  }

  private asLive(): LiveFold<WorkingSetFold> {
    return {
      fold: this.fold,
      types: this.index.types,
      place: () => this.place(),
      lines: () => this.index.lines(),
      fresh: () => this.index.fresh(),
      nudge: () => this.nudge(),
      watch: (moved) => {
        this.watchers.add(moved);
        return () => this.watchers.delete(moved);
      },
      adopt: (anew) => {
        this.index.deserialize(anew.lines().join('\n'));
        this.listener.onReplaced?.();
        if (this.live) this.listener.onCaughtUp();
      },
    };
  }

  private place(): FoldPlace | undefined {
    return this.stopped || this.unproven !== undefined ? undefined : { position: this.position, quiet: this.quiet && this.live };
  }

  private tellWatchers(): void {
    for (const moved of this.watchers) moved();
  }

  private async putAway(): Promise<void> {
    const { last, position, before, foldedSince } = this;
    if (last === undefined || position === 'start' || foldedSince === 0 || this.rebuilding !== undefined) return;
    this.foldedSince = 0;
    const place: CheckpointPlace = { position, before, eventId: last.eventId };
    try {
      await writeCheckpoint(this.ports, this.index, place, this.index.lines().join('\n'));
    } catch (fault) {
      this.foldedSince += foldedSince;
      throw fault;
    }
  }
}
