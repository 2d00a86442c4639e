import type { Artifacts, Bus, Clock, EventStore, Ids, Metrics, Randomness } from '@cairn/ports';
import { seededIds, seededRandomness, type Pcg32 } from '@cairn/simulated';
import type { Covered } from '../coverage.js';
import type { World } from '../world/world.js';
import { busOf } from './bus.js';
import { artifactsOf } from './artifacts.js';
import { storeOf } from './store.js';

/** All through which a service reaches the world. */
export interface ServicePorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
}

/** A service that runs: what `assemble…` gives. */
export interface Running {
  start(): Promise<void>;
}

/** One life of a process: from its start to its crash. What a dead one still waits for never comes. */
export class Life {
  alive = true;
  /** What has to be cut when the process dies: bindings, tails. */
  readonly cut: (() => void)[] = [];
  readonly clock: Clock;

  constructor(
    readonly world: World,
    readonly name: string,
    private readonly random: Pcg32,
    private readonly onCrash: (where: string) => void,
  ) {
    this.clock = world.scheduler.clockOf(name);
  }

  /** The time that something takes between this process and a port. */
  hop(): Promise<void> {
    return new Promise((resolve) => this.clock.after(this.latency(), resolve));
  }

  latency(): number {
    return this.random.below(this.world.swarm.latencyMaxMs + 1);
  }

  /** Perhaps the process dies here: then whoever awaits this waits for ever, as everything in a dead process does. */
  async crashPoint(where: string): Promise<void> {
    if (!this.alive) return never();
    if (!this.world.strikes(this.random, this.world.swarm.crash)) return;
    this.onCrash(where);
    return never();
  }

  note(what: string): void {
    this.world.note(this.name, what);
  }
}

const never = (): Promise<never> => new Promise(() => undefined);

/** A simulated process: a service that is started, crashes, and is started again with nothing but the store. */
export class Process {
  private life: Life | undefined;
  private incarnation = 0;
  private stuckStarts = 0;

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly crashed: Covered,
    /** Assembles and starts a fresh instance. */
    private readonly boot: (ports: ServicePorts) => Promise<void>,
    /** Told when the present instance is gone. */
    private readonly onDeath: () => void = () => undefined,
  ) {}

  get isUp(): boolean {
    return this.life !== undefined;
  }

  start(): void {
    if (this.life !== undefined) return;
    const random = this.world.random.fork(`${this.name}/${this.incarnation++}`);
    const life = new Life(this.world, this.name, random, (where) => this.crash(where));
    this.life = life;
    life.note('starts');
    this.boot(portsOf(life, random)).catch((error: unknown) => this.failed(life, error));
  }

  crash(where: string): void {
    const { life, world } = this;
    if (life === undefined) return;
    world.coverage.note(this.crashed);
    if (where.startsWith('before append')) world.coverage.note('crash before an append');
    if (where.startsWith('after append')) world.coverage.note('crash after an append');
    life.note(`crashes ${where}`);
    this.end(life);
    world.clock.after(1 + world.random.fork(`${this.name}/down/${this.incarnation}`).below(world.swarm.downMaxMs), () => this.start());
  }

  private end(life: Life): void {
    this.life = undefined;
    life.alive = false;
    this.world.scheduler.crash(this.name);
    for (const cut of life.cut) cut();
    this.onDeath();
  }

  /** A start that met a fault: whoever runs the process starts it again, as a supervisor does. */
  private failed(life: Life, error: unknown): void {
    if (!life.alive) return;
    life.note(`does not start: ${error instanceof Error ? error.message : 'no error'}`);
    if (++this.stuckStarts > STARTS_MAX)
      this.world.bugs.push(`${this.name} does not start: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    this.end(life);
    this.world.clock.after(500, () => this.start());
  }
}

/** Starts that may fail one after another before it is called a bug. */
const STARTS_MAX = 200;

function portsOf(life: Life, random: Pcg32): ServicePorts {
  return {
    store: storeOf(life),
    bus: busOf(life),
    artifacts: artifactsOf(life),
    clock: life.clock,
    ids: seededIds(random.fork('ids')),
    randomness: seededRandomness(random.fork('randomness')),
    metrics: life.world.metrics,
  };
}
