import { invariant } from '@cairn/kernel';
import type { OutgoingMessage } from '@cairn/ports';
import type { Durable, Entry } from './durable.js';
import { Fifo } from './fifo.js';
import { SeenIds } from './seen-ids.js';
import { matches, overlap, parseFilter, type Filter } from './subjects.js';

/** A bus stream as data. `limits`: each durable gets each message; `work_queue`: one durable does, and then the message is gone. */
export interface BusStreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'work_queue';
  readonly maxAgeMs?: number;
  readonly dedupeWindowMs?: number;
}

/** Messages of a stream with limits that a durable finds which binds for the first time. */
export const RETAINED_MAX = 1_024;

/** Message ids that a stream remembers at most, whatever its window says: de-duplication is an optimisation. */
export const DEDUPE_IDS_MAX = 32_768;

export type MakeEntry = () => Entry;

/** One stream: which durables get a message, and which ids were seen. */
export class BusStream {
  readonly durables = new Map<string, Durable>();
  private readonly subjects: readonly Filter[];
  /** Of a work queue: what no durable takes yet. Of a stream with limits: the newest messages, for durables to come. */
  private kept = new Fifo<{ readonly tokens: readonly string[]; readonly make: MakeEntry }>();
  private readonly seen: SeenIds;

  constructor(readonly spec: BusStreamSpec) {
    this.subjects = spec.subjects.map(parseFilter);
    this.seen = new SeenIds(spec.dedupeWindowMs ?? 0, DEDUPE_IDS_MAX);
  }

  takes(tokens: readonly string[]): boolean {
    return this.subjects.some((filter) => matches(filter, tokens));
  }

  isRepeated({ id }: OutgoingMessage, now: number): boolean {
    return this.seen.isRepeated(id, now);
  }

  /** The durables that get this message. False: a work queue is full. */
  add(tokens: readonly string[], make: MakeEntry, overtake?: number): boolean {
    const takers = [...this.durables.values()].filter((durable) => durable.takes(tokens));
    if (this.spec.retention === 'work_queue') {
      if (takers.length === 0) return this.keep(tokens, make);
      if (takers[0]!.full) return false;
      takers[0]!.add(make(), overtake);
      return true;
    }
    for (const durable of takers) {
      if (durable.full) durable.dropOldest();
      durable.add(make(), overtake);
    }
    return this.keep(tokens, make);
  }

  addDurable(durable: Durable): void {
    const { spec, filters } = durable;
    if (this.spec.retention === 'work_queue') {
      for (const other of this.durables.values()) {
        const clash = filters.some((filter) => other.filters.some((theirs) => overlap(filter, theirs)));
        invariant(!clash, `${spec.durable} and ${other.spec.durable} want the same messages of the work queue ${this.spec.name}`);
      }
    }
    this.durables.set(spec.durable, durable);
    const kept = this.kept;
    this.kept = new Fifo();
    for (let item = kept.shift(); item !== undefined; item = kept.shift()) {
      const taken = durable.takes(item.tokens);
      if (taken) durable.add(item.make());
      if (!taken || this.spec.retention === 'limits') this.kept.push(item);
    }
  }

  wipe(): void {
    this.kept.clear();
    this.seen.clear();
    for (const durable of this.durables.values()) durable.wipe();
  }

  forgetIds(): void {
    this.seen.clear();
  }

  private keep(tokens: readonly string[], make: MakeEntry): boolean {
    this.kept.push({ tokens, make });
    if (this.kept.size > RETAINED_MAX) this.kept.shift();
    return true;
  }
}
