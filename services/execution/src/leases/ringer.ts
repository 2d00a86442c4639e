import { epochMsOf, type Instant } from '@cairn/kernel';
import type { Clock, Metrics } from '@cairn/ports';
import type { Entry } from './session.js';
import type { Task } from './task.js';

/** After so long without a word a task that was rung is given to whoever asks for it. */
const UNHEARD_MS = 2_000;
/**
 * A ring that nobody was heard of since is repeated under its number after so long: a bus that has it swallows that, one whose store was
 * wiped has lost both the message and its memory of it (F-26).
 */
const REPEAT_MS = 10_000;
/** So many of them at each look, four times a second: a backlog that nobody takes must cost little. */
const REPEATS_MAX = 25;
/** Rings on their way to the bus at once. */
const RINGS_IN_FLIGHT_MAX = 256;
/** After the bus refused nothing is rung for so long: the rest of what waits would only be refused, too. */
const REFUSED_PAUSE_MS = 250;

export interface RingerOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Puts the task on the bus under the ring's number. Rejects with a fault: it may be there or not. */
  readonly ring: (task: Task, ring: number) => Promise<void>;
}

/**
 * Sends tasks as messages, for handlers that take them so. A ring's number is how many whole lease times have passed since the attempt
 * began, on every replica alike: a bus that de-duplicates swallows what another one rang, and lets the next through (`architecture.md` §4.2).
 */
export class Ringer {
  private underWay = 0;
  private readonly queued = new Set<Entry>();
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private repeatsLeft = REPEATS_MAX;

  constructor(private readonly options: RingerOptions) {}

  /** Nobody has the entry, and nobody is there to be given it. */
  ring(entry: Entry): void {
    entry.phase = 'rung';
    if (!this.isRung(entry)) this.put(entry);
  }

  /** A new look at all that is rung. */
  begin(): void {
    this.repeatsLeft = REPEATS_MAX;
  }

  /** Rung and not heard of as taken: the next ring is due, or this one again. */
  lookAt(entry: Entry, now: number): void {
    if (entry.paused || entry.rung === undefined) return;
    if (!this.isRung(entry)) this.put(entry);
    else if (now - entry.rung.at > REPEAT_MS && this.repeatsLeft-- > 0) this.put(entry);
  }

  /** Nobody says to have it after so long: whoever asks for work may as well be given it. */
  isUnheard({ rung, offeredAt }: Entry, now: number): boolean {
    return now - (rung?.at ?? offeredAt) > UNHEARD_MS;
  }

  private isRung({ rung }: Entry): boolean {
    return rung !== undefined && this.options.clock.now() < rung.nextDue;
  }

  private put(entry: Entry): void {
    if (this.queued.has(entry)) return;
    this.queued.add(entry);
    this.send();
  }

  private send(): void {
    if (this.options.clock.monotonicMs() < this.pausedUntil) return;
    for (const entry of this.queued) {
      if (this.underWay >= RINGS_IN_FLIGHT_MAX) return;
      this.queued.delete(entry);
      if (entry.phase === 'rung' && !entry.paused) void this.publish(entry);
    }
  }

  private async publish(entry: Entry): Promise<void> {
    const { clock, metrics } = this.options;
    const { event, leaseMs } = entry.task;
    const startedMs = epochMsOf(event.time as Instant);
    const ring = Math.max(0, Math.floor((clock.now() - startedMs) / leaseMs));
    const nextDue = startedMs + (ring + 1) * leaseMs;
    this.underWay += 1;
    try {
      await this.options.ring(entry.task, ring);
      entry.shared ||= entry.rung !== undefined && entry.rung.nextDue !== nextDue; // Who took the one before may be at work unheard.
      entry.rung = { at: clock.monotonicMs(), nextDue };
    } catch {
      metrics.count('cairn_task_ring_faults_total');
      this.queued.add(entry);
      this.pause();
    } finally {
      this.underWay -= 1;
      this.send();
    }
  }

  private pause(): void {
    const { clock } = this.options;
    if (clock.monotonicMs() < this.pausedUntil) return;
    this.pausedUntil = clock.monotonicMs() + REFUSED_PAUSE_MS;
    clock.after(REFUSED_PAUSE_MS, () => this.send());
  }
}
