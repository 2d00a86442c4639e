import type { JsonObject } from '@cairn/kernel';
import {
  isFault,
  type Clock,
  type ConsumerSpec,
  type Handle,
  type IncomingMessage,
  type OutgoingMessage,
  type Settlement,
  type Timer,
} from '@cairn/ports';
import { Fifo } from './fifo.js';
import { matches, parseFilter, type Filter } from './subjects.js';

/** After a fault the whole consumer pauses so long when what it works on is away, else only the message. No storm, and back soon. */
export const FAULT_PAUSE_MS = 250;

/** Pause of a message after its first bug; doubles with each further one. */
export const BUG_PAUSE_MS = 50;

/** Messages that wait for one durable, at most. */
export const WAITING_MAX = 100_000;

/** A message as one durable has it. */
export interface Entry {
  readonly message: OutgoingMessage;
  /** Monotonic; after this nobody wants it. */
  readonly expiresAt: number;
  readonly answer: ((answer: JsonObject) => void) | undefined;
  deliveries: number;
  bugs: number;
  settled: boolean;
}

export interface DeadLetter {
  readonly durable: string;
  readonly message: OutgoingMessage;
  readonly reason: string;
  readonly deliveries: number;
}

interface Binding {
  readonly handle: Handle;
  readonly open: Set<Delivery>;
  taking: boolean;
  whenIdle: (() => void) | undefined;
}

interface Delivery {
  readonly entry: Entry;
  readonly binding: Binding;
  dueAt: number;
}

/** The bus's side of a durable. */
export interface DurableHost {
  readonly clock: Clock;
  readonly away: () => boolean;
  readonly dead: (letter: DeadLetter) => void;
  readonly onBug: (bug: unknown, durable: string, message: OutgoingMessage) => void;
  /** True: this `done` gets lost on its way. */
  readonly losesSettlement: () => boolean;
}

/** A durable consumer: what waits for it, what it is working on, and who is bound to it. Outlives its bindings. */
export class Durable {
  readonly filters: readonly Filter[];
  private readonly waiting = new Fifo<Entry>();
  /** In the order of delivery, which is that of `dueAt`: one timer, for the first, is enough. */
  private readonly open = new Set<Delivery>();
  private readonly timers = new Set<Timer>();
  private bindings: Binding[] = [];
  private turn = 0;
  private delayed = 0;
  private pumping = false;
  private paused = false;
  private ackTimer: Timer | undefined;

  constructor(
    readonly spec: ConsumerSpec,
    private readonly host: DurableHost,
  ) {
    this.filters = spec.filters.map(parseFilter);
  }

  takes(tokens: readonly string[]): boolean {
    return this.filters.some((filter) => matches(filter, tokens));
  }

  get full(): boolean {
    return this.waiting.size >= WAITING_MAX;
  }

  /** `overtake`: which of the waiting it goes before, as a fraction of the queue. */
  add(entry: Entry, overtake?: number): void {
    if (overtake === undefined) this.waiting.push(entry);
    else this.waiting.insert(Math.floor(overtake * this.waiting.size), entry);
    this.wake();
  }

  dropOldest(): void {
    this.waiting.shift();
  }

  /** All messages are gone, those under way too; whoever is bound stays bound. */
  wipe(): void {
    this.waiting.clear();
    for (const { entry } of this.open) entry.settled = true;
    this.open.clear();
    for (const binding of this.bindings) this.leaveAll(binding);
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    this.delayed = 0;
    this.paused = false;
  }

  bind(handle: Handle): { stop: () => Promise<void>; abandon: () => void } {
    const binding: Binding = { handle, open: new Set(), taking: true, whenIdle: undefined };
    this.bindings.push(binding);
    this.wake();
    return {
      stop: async () => {
        this.unbind(binding);
        if (binding.open.size > 0) await new Promise<void>((resolve) => (binding.whenIdle = resolve));
      },
      abandon: () => {
        this.unbind(binding);
        this.leaveAll(binding); // What it still answers is the answer of a dead process; `ackWaitMs` brings the messages back.
      },
    };
  }

  wake(): void {
    if (this.pumping) return;
    this.pumping = true;
    queueMicrotask(() => {
      this.pumping = false;
      this.pump();
    });
  }

  /** Cancels all timers; nothing is delivered any more. */
  async close(): Promise<void> {
    const busy = this.bindings.filter(({ open }) => open.size > 0);
    const idle = busy.map((binding) => new Promise<void>((resolve) => (binding.whenIdle = resolve)));
    for (const binding of this.bindings) binding.taking = false;
    this.bindings = [];
    await Promise.all(idle);
    this.ackTimer?.cancel();
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  private unbind(binding: Binding): void {
    binding.taking = false;
    this.bindings = this.bindings.filter((other) => other !== binding);
  }

  private leaveAll(binding: Binding): void {
    binding.open.clear();
    binding.whenIdle?.();
  }

  private pump(): void {
    while (
      this.waiting.size > 0 &&
      this.bindings.length > 0 &&
      this.open.size + this.delayed < this.spec.inFlightMax &&
      !this.paused &&
      !this.host.away()
    ) {
      const entry = this.waiting.shift();
      if (entry === undefined || entry.settled || entry.expiresAt <= this.host.clock.monotonicMs()) continue;
      this.deliver(entry, this.bindings[this.turn++ % this.bindings.length]!);
    }
  }

  private deliver(entry: Entry, binding: Binding): void {
    entry.deliveries++;
    const delivery: Delivery = { entry, binding, dueAt: this.host.clock.monotonicMs() + this.spec.ackWaitMs };
    this.open.add(delivery);
    binding.open.add(delivery);
    this.ackTimer ??= this.host.clock.after(this.spec.ackWaitMs, this.renewOrRedeliver);
    const { subject, id, body } = entry.message;
    const incoming: IncomingMessage = { subject, id, body, deliveries: entry.deliveries, asked: entry.answer !== undefined };
    promised(binding.handle, incoming).then(
      (settlement) => this.ended(delivery, () => this.settle(entry, settlement)),
      (error: unknown) => this.ended(delivery, () => this.failed(entry, error)),
    );
  }

  /** A settlement counts unless the process that makes it is dead. */
  private ended(delivery: Delivery, conclude: () => void): void {
    const { binding, entry } = delivery;
    const alive = binding.open.delete(delivery);
    this.open.delete(delivery);
    if (alive && !entry.settled) conclude();
    if (binding.open.size === 0 && !binding.taking) binding.whenIdle?.();
    if (this.waiting.size > 0) this.wake();
  }

  private settle(entry: Entry, settlement: Settlement): void {
    switch (settlement.kind) {
      case 'done':
        if (settlement.answer !== undefined) entry.answer?.(settlement.answer);
        if (this.host.losesSettlement()) return this.addLater(entry, this.spec.ackWaitMs);
        entry.settled = true;
        return;
      case 'again':
        return this.addLater(entry, settlement.afterMs);
      case 'never':
        if (settlement.answer !== undefined) entry.answer?.(settlement.answer);
        return this.bury(entry, settlement.reason);
    }
  }

  private failed(entry: Entry, error: unknown): void {
    if (isFault(error)) {
      if (error.code.endsWith('_unavailable')) this.pause();
      return this.addLater(entry, FAULT_PAUSE_MS);
    }
    entry.bugs++;
    this.host.onBug(error, this.spec.durable, entry.message);
    if (entry.bugs >= this.spec.bugsMax)
      return this.bury(entry, `${entry.bugs} bugs, the last: ${error instanceof Error ? error.message : String(error)}`);
    this.addLater(entry, BUG_PAUSE_MS * 2 ** (entry.bugs - 1));
  }

  private bury(entry: Entry, reason: string): void {
    entry.settled = true;
    this.host.dead({ durable: this.spec.durable, message: entry.message, reason, deliveries: entry.deliveries });
  }

  /** Keeps the message's place among those in flight while it waits, as JetStream does with delayed refusals (`facts.md` §2.4). */
  private addLater(entry: Entry, afterMs: number): void {
    this.delayed++;
    this.later(afterMs, () => {
      this.delayed--;
      this.add(entry);
    });
  }

  private pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.later(FAULT_PAUSE_MS, () => {
      this.paused = false;
      this.wake();
    });
  }

  private later(afterMs: number, task: () => void): void {
    const timer = this.host.clock.after(afterMs, () => {
      this.timers.delete(timer);
      task();
    });
    this.timers.add(timer);
  }

  private readonly renewOrRedeliver = (): void => {
    this.ackTimer = undefined;
    const now = this.host.clock.monotonicMs();
    for (const delivery of this.open) {
      if (delivery.dueAt > now) {
        this.ackTimer = this.host.clock.after(delivery.dueAt - now, this.renewOrRedeliver);
        break;
      }
      this.open.delete(delivery);
      if (delivery.entry.settled) continue;
      if (delivery.binding.open.has(delivery)) this.open.add(Object.assign(delivery, { dueAt: now + this.spec.ackWaitMs }));
      else this.waiting.push(delivery.entry);
    }
    this.wake();
  };
}

/** The handler's promise, also where it throws before it returns one. */
async function promised(handle: Handle, message: IncomingMessage): Promise<Settlement> {
  return handle(message);
}
