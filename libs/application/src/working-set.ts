import type { StoredEvent } from '@cairn/kernel';
import type { Clock, EventStore, Metrics, NamedArtifacts, Position, Tail, TailedEvent, Timer } from '@cairn/ports';
import type { WorkingSetFold } from './working-set-fold.js';
import { readCheckpoint, writeCheckpoint, type CheckpointPlace } from './working-set-checkpoint.js';

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
export class WorkingSet {
  private tail: Tail | undefined;
  private position: Position | 'start' = 'start';
  private before: Position | 'start' = 'start';
  private last: StoredEvent | undefined;
  /** A checkpoint was loaded whose last event has not yet come out of this very store. */
  private unproven: CheckpointPlace | undefined;
  private foldedSince = 0;
  private live = false;
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
    if (this.unproven !== undefined) {
      const [first] = events;
      if (first === undefined) return;
      if (first.event.eventId !== this.unproven.eventId || first.position !== this.unproven.position) return this.startOver();
      this.unproven = undefined;
      this.advance(first);
      from = 1; // That event is in the checkpoint.
    }
    for (let i = from; i < events.length; i++) {
      const tailed = events[i]!;
      this.index.fold(tailed.event);
      this.advance(tailed);
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

  private async putAway(): Promise<void> {
    const { last, position, before, foldedSince } = this;
    if (last === undefined || position === 'start' || foldedSince === 0) return;
    this.foldedSince = 0;
    const place: CheckpointPlace = { position, before, eventId: last.eventId };
    try {
      await writeCheckpoint(this.ports, this.index, place, this.index.serialize());
    } catch (fault) {
      this.foldedSince += foldedSince;
      throw fault;
    }
  }
}
