import { isFault, type Clock, type Metrics, type Timer } from '@cairn/ports';
import type { CommandAnswer } from '@cairn/contracts';
import type { ExecutionDesk } from '../execution-desk.js';
import type { Mutants } from '../mutants.js';
import type { OpenWait } from '../working-set/open-waits.js';
import type { DueRetry } from '../working-set/due-retries.js';
import type { SchedulingSet } from '../working-set/scheduling-set.js';
import { DueHeap } from './due-heap.js';
import { dueOfRetry, duesOfWait, isPending, type Due } from './dues.js';

/** After a downtime everything that fell due is rung in order, so many at a time with a pause between: about 1,000 a second. */
const RINGS_PER_BURST = 100;
const BURST_PAUSE_MS = 100;
/** Execution's clock decides. When it says "early" at our due time, it lags: it is asked again after this, then after twice that, … */
const EARLY_PAUSE_MS = 250;
/** … and at least so often, so that a clock that is set right is noticed. */
const EARLY_PAUSE_MAX_MS = 5_000;
/** Longest sleep: a wall clock that was set forward is noticed after this at the latest. */
const SLEEP_MAX_MS = 60_000;
const MS_PER_S = 1_000;

export interface DueTimesParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly set: SchedulingSet;
  readonly desk: ExecutionDesk;
  readonly mutants: Mutants;
}

/**
 * Rings execution when a time has come: a timer, a deadline, an age, a retry's `notBefore`. In memory alone, derived from the
 * working set; what a ring did, the history tells, and until it does the sweep derives the due again.
 */
export class DueTimes {
  private readonly heap = new DueHeap<Due>();
  /** Keys that are in the heap or being rung. */
  private readonly known = new Set<string>();
  private readonly ringing = new Set<Promise<void>>();
  /** The first due of each namespace, as the last walk over the working set found it. */
  private earliest: ReadonlyMap<string, Due> = new Map();
  private readonly told = new Set<string>();
  private timer: Timer | undefined;
  private pausedUntil = 0;
  private running = false;

  constructor(private readonly parts: DueTimesParts) {}

  start(): void {
    this.running = true;
  }

  addWait(wait: OpenWait): void {
    for (const due of duesOfWait(wait)) this.add(due);
    this.arm();
  }

  addRetry(retry: DueRetry): void {
    this.add(dueOfRetry(retry));
    this.arm();
  }

  /** Everything that the working set says is still to come, or has come and was not done. */
  derive(): void {
    const { set, mutants } = this.parts;
    if (mutants.has('M-7')) return; // M-7: timers live in memory only.
    const earliest = new Map<string, Due>();
    const derived = (due: Due): void => {
      this.add(due);
      if (due.at < (earliest.get(due.ns)?.at ?? Infinity)) earliest.set(due.ns, due);
    };
    for (const wait of set.waits.all()) for (const due of duesOfWait(wait)) derived(due);
    for (const retry of set.retries.pending()) derived(dueOfRetry(retry));
    this.earliest = earliest;
    this.pump();
  }

  /** How late the most overdue wake-up of each namespace is, in seconds, as far as the last sweep saw it. */
  tellOverdue(): void {
    const { clock, metrics, set } = this.parts;
    const now = clock.now();
    for (const [ns, due] of this.earliest) {
      const lateMs = isPending(set, due) ? Math.max(0, now - due.at) : 0;
      metrics.gauge('cairn_wakeup_overdue_seconds', lateMs / MS_PER_S, { ns });
      this.told.add(ns);
    }
    for (const ns of this.told) if (!this.earliest.has(ns)) metrics.gauge('cairn_wakeup_overdue_seconds', 0, { ns });
  }

  /** Rings nothing more; resolves when the rings under way have been answered. */
  async stop(): Promise<void> {
    this.running = false;
    this.timer?.cancel();
    this.heap.clear();
    this.known.clear();
    await Promise.all(this.ringing);
  }

  private add(due: Due): void {
    if (this.known.has(due.key)) return;
    this.known.add(due.key);
    this.heap.add(due);
  }

  /** One burst of what is due, then a pause or a sleep. */
  private pump(): void {
    const { clock } = this.parts;
    if (!this.running) return;
    if (clock.monotonicMs() >= this.pausedUntil) {
      const now = clock.now();
      let rung = 0;
      for (let due = this.heap.peek(); due !== undefined && due.at <= now && rung < RINGS_PER_BURST; due = this.heap.peek()) {
        this.heap.take();
        if (isPending(this.parts.set, due)) {
          rung += 1;
          this.begin(due);
        } else this.known.delete(due.key);
      }
      if (rung === RINGS_PER_BURST) this.pausedUntil = clock.monotonicMs() + BURST_PAUSE_MS;
    }
    this.arm();
  }

  private arm(): void {
    const { clock } = this.parts;
    this.timer?.cancel();
    const next = this.heap.peek();
    if (!this.running || next === undefined) return;
    const delay = Math.max(0, next.at - clock.now(), this.pausedUntil - clock.monotonicMs());
    this.timer = clock.after(Math.min(Math.ceil(delay), SLEEP_MAX_MS), () => this.pump());
  }

  private begin(due: Due): void {
    const ringing: Promise<void> = this.ring(due).finally(() => this.ringing.delete(ringing));
    this.ringing.add(ringing);
  }

  private async ring(due: Due): Promise<void> {
    const { desk, metrics } = this.parts;
    metrics.count('cairn_rings_total', { kind: due.kind });
    try {
      this.after(due, await desk.ask(due.ns, due.runId, due.command, due.causationId));
    } catch (error) {
      this.known.delete(due.key); // The sweep derives it again.
      metrics.count('cairn_ring_errors_total', { kind: due.kind, error: isFault(error) ? 'fault' : 'bug' });
    }
  }

  private after(due: Due, answer: CommandAnswer): void {
    this.known.delete(due.key);
    if (answer.kind === 'nothing' && answer.because === 'early') {
      const pauseMs = Math.min(due.pauseMs ?? EARLY_PAUSE_MS, EARLY_PAUSE_MAX_MS);
      this.add({ ...due, at: Math.max(due.at, this.parts.clock.now() + pauseMs), pauseMs: 2 * pauseMs });
      this.arm();
      return;
    }
    // A retry that has begun leaves no event that reaches this service; execution's word is all there is, and enough.
    const { data } = due.command;
    if ('attemptId' in data && answer.kind !== 'rejected') this.parts.set.retries.answer(data.attemptId);
  }
}
