import { PARTITIONS, partitionOf, type Id } from '@cairn/kernel';
import { RANKS_MAX, type Clock, type Line } from '@cairn/ports';
import { Presence } from './presence.js';
import { ranked } from './rendezvous.js';
import type { Serving } from './serving.js';

export interface PartitionsOptions {
  readonly replica: Id;
  readonly line: Line;
  readonly clock: Clock;
  readonly onGained: (partitions: ReadonlySet<number>) => void;
  readonly onLost: (partitions: ReadonlySet<number>) => void;
}

/** Which partitions this replica serves among those that it hears (`architecture.md` §4.4). Saves conflicts: revisions alone make it right. */
export class Partitions implements Serving {
  private readonly presence: Presence;
  private ranks: readonly (readonly Id[])[] = [];
  private served: ReadonlySet<number> = new Set();

  constructor(private readonly options: PartitionsOptions) {
    const { replica, line, clock } = options;
    this.presence = new Presence({ replica, line, clock, onChange: () => this.share() });
  }

  /** Listens, and serves nothing before it has heard the world. */
  start(): void {
    this.presence.start();
  }

  /** Serves nothing any more; the others know it at once. */
  leave(): void {
    this.presence.leave();
  }

  get hears(): boolean {
    return this.presence.hears;
  }

  servesPartition(partition: number): boolean {
    return this.served.has(partition) && this.presence.isAwake;
  }

  serves(runId: Id): boolean {
    return this.servesPartition(partitionOf(runId));
  }

  serverOf(partition: number): Id | undefined {
    const [first] = this.ranks[partition] ?? [];
    return first;
  }

  /** How this replica's binding of the partition's consumer ranks now: last while it does not know the others. */
  rank(partition: number): number {
    if (!this.presence.isAwake) return RANKS_MAX - 1;
    const place = this.ranks[partition]?.indexOf(this.options.replica) ?? -1;
    return place < 0 ? RANKS_MAX - 1 : Math.min(place, RANKS_MAX - 1);
  }

  private share(): void {
    const living = this.presence.living();
    this.ranks = Array.from({ length: PARTITIONS }, (_, partition) => ranked(partition, living));
    const before = this.served;
    const now = new Set<number>();
    this.ranks.forEach(([first], partition) => {
      if (first === this.options.replica) now.add(partition);
    });
    this.served = now;
    const lost = without(before, now);
    const gained = without(now, before);
    if (lost.size > 0) this.options.onLost(lost);
    if (gained.size > 0) this.options.onGained(gained);
  }
}

const without = (some: ReadonlySet<number>, others: ReadonlySet<number>): ReadonlySet<number> =>
  new Set([...some].filter((item) => !others.has(item)));
