import type { Id } from '@cairn/kernel';
import type { ReplicaFrames } from './replica-frames.js';

/** How long the odd places stay with one replica while tasks come, and while none do. */
const TURN_FIRST_MS = 10;
const TURN_LAST_MS = 100;

/** What a session would take. */
export interface Takes {
  /** Whether it waits for tasks. */
  readonly isOpen: boolean;
  readonly queues: Iterable<string>;
  /** Places of a queue that no task fills, whoever they are offered to. */
  free(queue: string): number;
}

/**
 * Divides a session's places between replicas, so that none is offered twice: as even as can be, the odd ones to whose turn it is. The
 * turn goes round while there is less than one place for each, so that none starves: fast while tasks come, slowly while none do.
 */
export class Places {
  private turn = 0;
  private came = false;
  turnMs = TURN_FIRST_MS;

  constructor(
    private readonly session: Takes,
    private readonly carriers: ReadonlyMap<Id, ReplicaFrames>,
  ) {}

  /** What the next frame to this replica may offer: its share, as far as no other replica may fill these places. */
  offer(carrier: ReplicaFrames, queue: string): number {
    if (!this.session.isOpen) return 0;
    const free = this.session.free(queue);
    let elsewhere = 0;
    for (const other of this.carriers.values()) if (other !== carrier) elsewhere += other.reserved(queue);
    return Math.max(0, Math.min(this.share(carrier, free), free - elsewhere));
  }

  /** Whether it could be offered so much more of a queue that this is worth a frame: something instead of nothing, or twice as much. */
  canOfferMore(carrier: ReplicaFrames): boolean {
    for (const queue of this.session.queues) if (this.offer(carrier, queue) >= Math.max(1, 2 * carrier.reserved(queue))) return true;
    return false;
  }

  /** Whether it is offered more than its share. */
  hasTooMuch(carrier: ReplicaFrames): boolean {
    for (const queue of this.session.queues) if (carrier.reserved(queue) > this.share(carrier, this.session.free(queue))) return true;
    return false;
  }

  /** Whether turns must be taken: some replica may have less than its share because of what others are offered and do not use. */
  isUneven(): boolean {
    if (this.carriers.size < 2 || !this.session.isOpen) return false;
    if (this.isScarce()) return true;
    for (const carrier of this.carriers.values()) if (this.hasTooMuch(carrier)) return true;
    return false;
  }

  tasksCame(): void {
    this.came = true;
    this.turnMs = TURN_FIRST_MS;
  }

  endTurn(): void {
    this.turnMs = this.came ? TURN_FIRST_MS : Math.min(TURN_LAST_MS, this.turnMs * 2);
    this.came = false;
    if (this.isScarce()) this.turn = (this.turn + 1) % this.carriers.size;
  }

  /** There is not a place for each. */
  private isScarce(): boolean {
    for (const queue of this.session.queues) {
      const free = this.session.free(queue);
      if (free > 0 && free < this.carriers.size) return true;
    }
    return false;
  }

  private share(carrier: ReplicaFrames, free: number): number {
    if (free <= 0) return 0;
    const count = this.carriers.size;
    let index = 0;
    for (const other of this.carriers.values()) {
      if (other === carrier) break;
      index += 1;
    }
    const isOdd = (index - (this.turn % count) + count) % count < free % count;
    return Math.floor(free / count) + (isOdd ? 1 : 0);
  }
}
