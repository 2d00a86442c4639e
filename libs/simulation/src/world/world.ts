import { createMemoryBus, type MemoryBus } from '@cairn/bus-memory';
import { busStreams } from '@cairn/contracts';
import { createMemoryEventStore, type AppendFault, type MemoryEventStore, type TailFault } from '@cairn/event-store-memory';
import type { StoredEvent } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import {
  createMemoryArtifacts,
  createRecordingMetrics,
  Pcg32,
  Scheduler,
  seededRandomness,
  WORLD,
  type MemoryArtifacts,
  type RecordingMetrics,
} from '@cairn/simulated';
import { Coverage } from '../coverage.js';
import type { MutantId } from '../mutants.js';
import { drawSwarm, type Swarm } from '../swarm.js';
import { Trace } from '../trace.js';
import { EffectServer } from './effect-server.js';

export interface WorldOptions {
  readonly seed: number;
  readonly mutant?: MutantId;
  /** Keep every line of the trace, for a replay. */
  readonly timeline?: boolean;
}

/** How late an append that was given up arrives at most. */
const LATE_BY_MS = [40, 400, 2_000];

/** A dropped subscription is followed by another one within this time. */
const RESUBSCRIBED_AFTER_MS = 1_000;

/** Everything that outlives a simulated process: time, the durable store, the bus, and the notes of who was promised what. */
export class World {
  readonly random: Pcg32;
  readonly swarm: Swarm;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly coverage = new Coverage();
  readonly metrics: RecordingMetrics = createRecordingMetrics();
  readonly store: MemoryEventStore;
  readonly bus: MemoryBus;
  readonly artifacts: MemoryArtifacts;
  /** What effects act upon. */
  readonly target: EffectServer;
  /** Appends that somebody was told are stored (E-1). */
  readonly acknowledged: StoredEvent[] = [];
  /** Ids of messages that the bus took. */
  readonly published = new Set<string>();
  /** What no fault explains: errors of handlers on the bus that are no faults. */
  readonly bugs: string[] = [];
  /** Where a planted bug has struck that strikes each place once. */
  readonly planted = new Set<string>();
  /** Whether faults strike: from `beginFaults` until `heal`. */
  faulty = false;

  constructor(readonly options: WorldOptions) {
    this.random = new Pcg32(BigInt(options.seed));
    this.swarm = drawSwarm(this.random.fork('swarm'));
    this.scheduler = new Scheduler({ order: this.random.fork('order') });
    this.clock = this.scheduler.clockOf(WORLD);
    this.trace = new Trace(options.timeline === true);
    const storeRandom = this.random.fork('store');
    this.store = createMemoryEventStore({
      faults: {
        append: (stream) => this.appendFault(storeRandom, stream),
        read: () => this.strikes(storeRandom, this.swarm.store.readFails),
        tail: () => this.tailFault(storeRandom),
      },
    });
    this.bus = createMemoryBus({
      clock: this.clock,
      streams: busStreams,
      randomness: seededRandomness(this.random.fork('bus')),
      faults: this.swarm.bus,
      onBug: (bug, durable, { subject }) =>
        this.bugs.push(`${durable} ${subject}: ${bug instanceof Error ? (bug.stack ?? bug.message) : String(bug)}`),
    });
    this.artifacts = createMemoryArtifacts();
    this.target = new EffectServer({
      clock: this.clock,
      random: this.random.fork('target'),
      rates: this.swarm.targets,
      strikes: (random, chance) => this.strikes(random, chance),
      note: (what) => this.note('target', what),
      cover: (name) => this.coverage.note(name),
    });
  }

  has(mutant: MutantId): boolean {
    return this.options.mutant === mutant;
  }

  /** True while faults strike, with this chance. Draws nothing for a fault that is off. */
  strikes(random: Pcg32, chance: number): boolean {
    return this.faulty && chance > 0 && random.chance(chance);
  }

  note(actor: string, what: string): void {
    this.trace.note(this.scheduler.now, actor, what);
  }

  /** From now on things go wrong; schedules what strikes everybody at once. */
  beginFaults(): void {
    this.faulty = true;
    const { busWipes, busForgets, storeOutages, storeFreezes } = this.swarm;
    const at = (ms: number, what: string, task: () => void): void =>
      void this.clock.after(ms, () => {
        if (!this.faulty) return;
        this.note(WORLD, what);
        task();
      });
    for (const ms of busWipes) at(ms, 'the bus is wiped', () => (this.bus.wipe(), this.coverage.note('bus wiped')));
    for (const ms of busForgets) at(ms, 'the bus forgets ids', () => (this.bus.forgetIds(), this.coverage.note('message ids forgotten')));
    for (const { from, to } of storeOutages) {
      at(from, 'the store is away', () => (this.store.setOutage(true), this.coverage.note('store outage')));
      at(to, 'the store is back', () => this.store.setOutage(false));
    }
    for (const { from, to } of storeFreezes) {
      at(from, 'the store freezes', () => (this.store.setFrozen(true), this.coverage.note('store frozen')));
      at(to, 'the store goes on', () => this.store.setFrozen(false));
    }
  }

  /** Links are up, nothing is lost any more. Clocks stay as wrong as they are, which is allowed. */
  heal(): void {
    this.note(WORLD, 'everything heals');
    this.faulty = false;
    this.store.setOutage(false);
    this.store.setFrozen(false);
    this.bus.setFaults({});
  }

  private appendFault(random: Pcg32, stream: string): AppendFault | undefined {
    const { refuse, storedThenUnknown, lostThenUnknown, storedLater } = this.swarm.store;
    if (this.strikes(random, refuse)) {
      this.coverage.note('append refused');
      return { kind: 'fails' };
    }
    if (this.strikes(random, storedThenUnknown)) {
      this.coverage.note('unknown append found');
      return { kind: 'stored_then_unknown' };
    }
    if (this.strikes(random, lostThenUnknown)) {
      this.coverage.note('unknown append not found');
      return { kind: 'lost_then_unknown' };
    }
    if (!this.strikes(random, storedLater)) return undefined;
    const delayMs = random.below(random.pick(LATE_BY_MS)); // Often just when its writer looks whether it is there.
    return {
      kind: 'stored_later',
      defer: (store) => {
        this.coverage.note('append stored after it was given up');
        this.clock.after(delayMs, () => {
          this.note(WORLD, `a given up append to ${stream} arrives`);
          store();
        });
      },
    };
  }

  private tailFault(random: Pcg32): TailFault | undefined {
    const { tailLags, tailRepeats, tailEnds, subscriptionDrops } = this.swarm.store;
    if (this.strikes(random, tailEnds)) {
      this.coverage.note('tail dropped');
      return { kind: 'ends' };
    }
    if (this.strikes(random, tailRepeats)) {
      this.coverage.note('tail repeated');
      return { kind: 'repeats', events: 1 + random.below(20) };
    }
    if (this.strikes(random, subscriptionDrops)) {
      this.coverage.note('subscription dropped');
      const backoffMs = random.below(RESUBSCRIBED_AFTER_MS);
      return { kind: 'drops', delivered: random.below(4), until: new Promise((resolve) => this.clock.after(backoffMs, resolve)) };
    }
    if (!this.strikes(random, tailLags)) return undefined;
    this.coverage.note('tail lagged');
    const lagMs = random.below(3_000);
    return { kind: 'lags', until: new Promise((resolve) => this.clock.after(lagMs, resolve)) };
  }
}
