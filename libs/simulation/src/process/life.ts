import type { Clock } from '@cairn/ports';
import type { Pcg32 } from '@cairn/simulated';
import type { World } from '../world/world.js';

export interface AppendInFlight {
  /** Its answer is lost, perhaps with the request. */
  isBroken: boolean;
}

/** One life of a process: from its start to its crash. What a dead one still waits for never comes. */
export class Life {
  alive = true;
  /** What has to be cut when the process dies: bindings, tails. */
  readonly cut: (() => void)[] = [];
  readonly clock: Clock;
  /** Of this process, which has one client: an error on its stream strikes all of them. */
  readonly appendsInFlight = new Set<AppendInFlight>();

  constructor(
    readonly world: World,
    readonly name: string,
    private readonly random: Pcg32,
    private readonly onCrash: (where: string) => void,
    /** There was one before. */
    readonly hasRestarted: boolean,
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

  /** True while this fault strikes. */
  strikes(chance: number): boolean {
    return this.world.strikes(this.random, chance);
  }

  note(what: string): void {
    this.world.note(this.name, what);
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
