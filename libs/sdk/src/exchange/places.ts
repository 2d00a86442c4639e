import type { Id } from '@cairn/kernel';
import type { ReplicaFrames } from './replica-frames.js';

/** A replica that has given a task of a queue within so long is taken to have more. */
const ACTIVE_MS = 100;
/** How long the last place stays with a replica that has tasks, and with one that may have none: to ask that is enough. */
const TURN_ACTIVE_MS = 20;
const TURN_ASKING_MS = 3;
/** While no replica has tasks the turns become longer, up to this. */
const TURN_IDLE_MS_MAX = 100;

/** What a session would take. */
export interface Takes {
  /** Whether it waits for tasks. */
  readonly isOpen: boolean;
  readonly queues: Iterable<string>;
  /** Places of a queue that no task fills, whoever they are offered to. */
  free(queue: string): number;
}

/**
 * Divides a session's places between replicas, so that none is offered twice. Those that have tasks share evenly, those that may have none
 * keep a place to show it; where there is less than a place for each, the places go round, so that none starves.
 */
export class Places {
  private turn = 0;
  private wasScarce = false;
  private idleTurnMs = TURN_ASKING_MS;

  constructor(
    private readonly session: Takes,
    private readonly carriers: ReadonlyMap<Id, ReplicaFrames>,
    private readonly nowMs: () => number,
  ) {}

  /** What the next frame to this replica may offer: its share, as far as no other replica may fill these places. */
  offer(carrier: ReplicaFrames, queue: string): number {
    if (!this.session.isOpen) return 0;
    const free = this.session.free(queue);
    let elsewhere = 0;
    for (const other of this.carriers.values()) if (other !== carrier) elsewhere += other.reserved(queue);
    return Math.max(0, Math.min(this.share(carrier, queue), free - elsewhere));
  }

  /** Whether it could be offered so much more of a queue that this is worth a frame: something instead of nothing, or twice as much. */
  canOfferMore(carrier: ReplicaFrames): boolean {
    for (const queue of this.session.queues) if (this.offer(carrier, queue) >= Math.max(1, 2 * carrier.reserved(queue))) return true;
    return false;
  }

  /** Whether it is offered more than its share. */
  hasTooMuch(carrier: ReplicaFrames): boolean {
    for (const queue of this.session.queues) if (carrier.reserved(queue) > this.share(carrier, queue)) return true;
    return false;
  }

  /** Whether turns must be taken: some replica may have less than its share because of what others are offered and do not use. */
  isUneven(): boolean {
    if (this.carriers.size < 2 || !this.session.isOpen) return false;
    for (const queue of this.session.queues) {
      const free = this.session.free(queue);
      if (free > 0 && free < this.carriers.size) this.wasScarce = true;
    }
    if (this.wasScarce) return true;
    for (const carrier of this.carriers.values()) if (this.hasTooMuch(carrier)) return true;
    return false;
  }

  /** How long the turn lasts that has begun. */
  get turnMs(): number {
    const list = [...this.carriers.values()];
    if (!list.some((carrier) => this.isActive(carrier))) return this.idleTurnMs;
    const holder = list[this.turn % list.length];
    return holder !== undefined && this.isActive(holder) ? TURN_ACTIVE_MS : TURN_ASKING_MS;
  }

  endTurn(): void {
    const isIdle = ![...this.carriers.values()].some((carrier) => this.isActive(carrier));
    this.idleTurnMs = isIdle ? Math.min(TURN_IDLE_MS_MAX, this.idleTurnMs * 2) : TURN_ASKING_MS;
    if (this.wasScarce) this.turn += 1;
    this.wasScarce = false;
  }

  private isActive(carrier: ReplicaFrames): boolean {
    for (const queue of this.session.queues) if (this.hasTasks(carrier, queue)) return true;
    return false;
  }

  private hasTasks(carrier: ReplicaFrames, queue: string): boolean {
    return this.nowMs() - carrier.gaveAt(queue) <= ACTIVE_MS;
  }

  private share(carrier: ReplicaFrames, queue: string): number {
    const free = this.session.free(queue);
    const count = this.carriers.size;
    if (free <= 0) return 0;
    if (count === 1) return free;
    const all = [...this.carriers.values()];
    if (free < count) return (all.indexOf(carrier) - (this.turn % count) + count) % count < free ? 1 : 0;
    const active = all.filter((one) => this.hasTasks(one, queue));
    const sharing = active.length === 0 ? all : active;
    const index = sharing.indexOf(carrier);
    if (index < 0) return 1;
    const places = free - (count - sharing.length);
    return Math.floor(places / sharing.length) + (index < places % sharing.length ? 1 : 0);
  }
}
