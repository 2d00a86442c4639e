import { invariant, type EpochMs } from '@cairn/kernel';
import type { Clock, Timer } from '@cairn/ports';
import type { Pcg32 } from './pcg32.js';
import { TickHeap, type Tick } from './tick-heap.js';

/** Who owns a timer: a simulated process. */
export type ActorId = string;

/** The world itself: it never crashes and is never paused. */
export const WORLD: ActorId = 'world';

interface Actor {
  /** Counts crashes. What an earlier incarnation scheduled never happens. */
  incarnation: number;
  pausedUntil: number;
  /** The wall clock's error: a step, and parts per million of drift since `setClock`. */
  offsetMs: number;
  driftPpm: number;
  driftSince: number;
}

interface ScheduledTick extends Tick {
  readonly actor: ActorId;
  readonly incarnation: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface SchedulerOptions {
  /** Draws the order of what is due at one instant; without it, first scheduled, first run. */
  readonly order?: Pcg32;
  /** Wall clock at virtual time 0, default 2026-01-01T00:00:00Z. */
  readonly startsAt?: EpochMs;
  /** After each tick, when every promise that could run has run. */
  readonly afterTick?: () => void;
}

const STARTS_AT: EpochMs = 1_767_225_600_000;

/**
 * Virtual time and everything that waits for it (`reliability.md` §4.1). Nothing happens but by `drain`; each actor sees time through
 * a clock of its own and loses its timers when it crashes. Deterministic as long as only this scheduler makes anybody wait.
 */
export class Scheduler {
  private readonly heap = new TickHeap<ScheduledTick>();
  private readonly actors = new Map<ActorId, Actor>();
  private readonly startsAt: EpochMs;
  private time = 0;
  private order = 0;

  constructor(private readonly options: SchedulerOptions = {}) {
    this.startsAt = options.startsAt ?? STARTS_AT;
  }

  /** True virtual milliseconds since the start. */
  get now(): number {
    return this.time;
  }

  /** How many ticks wait, cancelled ones not yet cleared away included. */
  get waiting(): number {
    return this.heap.size;
  }

  /** When the next tick is due, or `undefined` if nothing waits. */
  nextAt(): number | undefined {
    this.clearCancelled();
    return this.heap.peek()?.at;
  }

  /** The clock of an actor's present incarnation. After a crash its timers never fire, whoever still holds it. */
  clockOf(name: ActorId): Clock {
    const { incarnation } = this.actor(name);
    return {
      now: () => this.wallOf(name),
      monotonicMs: () => this.time,
      after: (delayMs, task) => this.schedule(name, incarnation, delayMs, task),
    };
  }

  /** Schedules for the actor's present incarnation. */
  after(name: ActorId, delayMs: number, task: () => void): Timer {
    return this.schedule(name, this.actor(name).incarnation, delayMs, task);
  }

  /** The number of an actor's present incarnation, from 0. */
  incarnationOf(name: ActorId): number {
    return this.actor(name).incarnation;
  }

  crash(name: ActorId): void {
    invariant(name !== WORLD, 'the world does not crash');
    this.actor(name).incarnation++;
    this.actor(name).pausedUntil = 0;
  }

  /** Until then nothing of this actor happens; after that it goes on where it was, as after SIGSTOP and SIGCONT. */
  pause(name: ActorId, untilMs: number): void {
    invariant(name !== WORLD, 'the world does not pause');
    this.actor(name).pausedUntil = Math.max(this.actor(name).pausedUntil, untilMs);
  }

  /** Sets an actor's wall clock wrong. Monotonic time is right for everybody. */
  setClock(name: ActorId, offsetMs: number, driftPpm = 0): void {
    Object.assign(this.actor(name), { offsetMs, driftPpm, driftSince: this.time });
  }

  /** Runs whatever is due up to `until`, in order, then stands at `until`. Answers how many ticks ran. */
  async drain(until: number): Promise<number> {
    let ran = 0;
    await settled(); // What was begun since the last drain.
    for (let tick = this.popUntil(until); tick !== undefined; tick = this.popUntil(until)) {
      this.time = Math.max(this.time, tick.at);
      tick.run(); // Starts work or settles a port's promise; never awaited.
      await settled();
      this.options.afterTick?.();
      ran++;
    }
    this.time = Math.max(this.time, until);
    return ran;
  }

  private schedule(name: ActorId, incarnation: number, delayMs: number, run: () => void): Timer {
    const tick: ScheduledTick = {
      at: this.time + Math.max(0, delayMs),
      tie: this.options.order?.uint32() ?? 0,
      order: this.order++,
      actor: name,
      incarnation,
      run,
      cancelled: false,
    };
    if (this.actor(name).incarnation === incarnation) this.heap.push(tick);
    return { cancel: () => (tick.cancelled = true) };
  }

  /** The next tick that really happens; those of the dead are dropped, those of the paused put off. */
  private popUntil(until: number): ScheduledTick | undefined {
    for (let tick = this.heap.peek(); tick !== undefined && tick.at <= until; tick = this.heap.peek()) {
      this.heap.pop();
      const actor = this.actor(tick.actor);
      if (tick.cancelled || actor.incarnation !== tick.incarnation) continue;
      if (actor.pausedUntil <= Math.max(tick.at, this.time)) return tick;
      const later: ScheduledTick = Object.assign(tick, { at: actor.pausedUntil });
      this.heap.push(later);
    }
    return undefined;
  }

  private clearCancelled(): void {
    for (let tick = this.heap.peek(); tick !== undefined; tick = this.heap.peek()) {
      if (!tick.cancelled && this.actor(tick.actor).incarnation === tick.incarnation) return;
      this.heap.pop();
    }
  }

  private wallOf(name: ActorId): EpochMs {
    const { offsetMs, driftPpm, driftSince } = this.actor(name);
    return Math.floor(this.startsAt + this.time + offsetMs + ((this.time - driftSince) * driftPpm) / 1_000_000);
  }

  private actor(name: ActorId): Actor {
    let actor = this.actors.get(name);
    if (actor === undefined) {
      actor = { incarnation: 0, pausedUntil: 0, offsetMs: 0, driftPpm: 0, driftSince: 0 };
      this.actors.set(name, actor);
    }
    return actor;
  }
}

/** One macrotask: by then every promise that can run without waiting for time has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
