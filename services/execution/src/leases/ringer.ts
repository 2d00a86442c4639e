import { epochMsOf, type Instant } from '@cairn/kernel';
import type { Clock, Metrics } from '@cairn/ports';
import type { Entry } from './session.js';
import type { Task } from './task.js';

/** After so long without a word a task that was rung is given to whoever asks for it. */
const UNHEARD_MS = 2_000;
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
  private readonly queue: Entry[] = [];
  private pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RingerOptions) {}

  /** Nobody has the entry, and nobody is there to be given it. */
  ring(entry: Entry): void {
    entry.phase = 'rung';
    if (this.isRung(entry)) return;
    this.queue.push(entry);
    this.send();
  }

  /** Rung and not heard of as taken: the next ring is due. */
  lookAt(entry: Entry): void {
    if (!entry.paused && entry.rung !== undefined && !this.isRung(entry)) this.ring(entry);
  }

  /** Rung long ago, and nobody says to have it: whoever asks for work may as well be given it. */
  isUnheard({ rung }: Entry, now: number): boolean {
    return rung === undefined ? false : now - rung.at > UNHEARD_MS;
  }

  private isRung({ rung }: Entry): boolean {
    return rung !== undefined && this.options.clock.now() < rung.nextDue;
  }

  private send(): void {
    while (this.underWay < RINGS_IN_FLIGHT_MAX && this.options.clock.monotonicMs() >= this.pausedUntil) {
      const entry = this.queue.shift();
      if (entry === undefined) return;
      if (entry.phase === 'rung' && !entry.paused) void this.put(entry);
    }
  }

  private async put(entry: Entry): Promise<void> {
    const { clock, metrics } = this.options;
    const { event, leaseMs } = entry.task;
    const startedMs = epochMsOf(event.time as Instant);
    const ring = Math.max(0, Math.floor((clock.now() - startedMs) / leaseMs));
    this.underWay += 1;
    try {
      await this.options.ring(entry.task, ring);
      entry.shared ||= entry.rung !== undefined; // Who took the one before may be at work unheard.
      entry.rung = { at: clock.monotonicMs(), nextDue: startedMs + (ring + 1) * leaseMs };
    } catch {
      metrics.count('cairn_task_ring_faults_total');
      this.queue.push(entry);
      if (this.pausedUntil > clock.monotonicMs()) return;
      this.pausedUntil = clock.monotonicMs() + REFUSED_PAUSE_MS;
      clock.after(REFUSED_PAUSE_MS, () => this.send());
    } finally {
      this.underWay -= 1;
      this.send();
    }
  }
}
