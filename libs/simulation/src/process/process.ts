import { Folds } from '@cairn/application';
import type { Artifacts, Bus, Clock, EventStore, Ids, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { seededIds, seededRandomness, type Pcg32 } from '@cairn/simulated';
import type { Covered } from '../coverage.js';
import type { World } from '../world/world.js';
import { busOf } from './bus.js';
import { Life } from './life.js';
import { artifactsOf } from './artifacts.js';
import { storeOf } from './store.js';

/** All through which a service reaches the world. */
export interface ServicePorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly artifacts: Artifacts;
  readonly disposables: NamedArtifacts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  readonly folds: Folds;
}

/** A simulated process: a service that is started, crashes, and is started again with nothing but the store. */
export class Process {
  private life: Life | undefined;
  private incarnation = 0;
  private stuckStarts = 0;
  private heldDownUntil = 0;
  /** Of the present instance. */
  folds = new Folds();

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
    if (this.life !== undefined || this.world.scheduler.now < this.heldDownUntil) return;
    const hasRestarted = this.incarnation > 0;
    const random = this.world.random.fork(`${this.name}/${this.incarnation++}`);
    const life = new Life(this.world, this.name, random, (where) => this.crash(where), hasRestarted);
    this.life = life;
    life.note('starts');
    this.folds = new Folds();
    this.boot(portsOf(life, random, this.folds)).catch((error: unknown) => this.failed(life, error));
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

  /** Killed, and not started again for so long. */
  stopFor(ms: number): void {
    const { life, world } = this;
    this.heldDownUntil = Math.max(this.heldDownUntil, world.scheduler.now + ms);
    if (life !== undefined) {
      life.note(`is stopped for ${ms}`);
      this.end(life);
    }
    world.clock.after(ms, () => this.start());
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

function portsOf(life: Life, random: Pcg32, folds: Folds): ServicePorts {
  const artifacts = artifactsOf(life);
  return {
    store: storeOf(life),
    bus: busOf(life),
    artifacts,
    disposables: artifacts,
    clock: life.clock,
    ids: seededIds(random.fork('ids')),
    randomness: seededRandomness(random.fork('randomness')),
    metrics: life.world.metrics,
    folds,
  };
}
