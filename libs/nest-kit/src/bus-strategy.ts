import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Bound, Bus, ConsumerSpec, IncomingMessage, Settlement } from '@cairn/ports';
import { lastValueFrom } from 'rxjs';

/** What a door's `@MessagePattern` names, and a consumer whose messages go there. Several consumers may share a door. */
export interface Binding {
  readonly pattern: string;
  readonly spec: ConsumerSpec;
  /** Of a prioritized consumer: how this process ranks now. */
  readonly rank?: () => number;
}

/** What a door says of a message. Nest would turn what it throws into `Internal server error` (`facts.md` T-24): errors travel as values. */
export type DoorOutcome = { readonly settlement: Settlement } | { readonly thrown: unknown };

/** For doors: what became of a message, never rejected. */
export async function outcomeOf(work: Promise<Settlement>): Promise<DoorOutcome> {
  try {
    return { settlement: await work };
  } catch (thrown) {
    return { thrown };
  }
}

/**
 * The transport of Nest's microservices over our bus: JetStream on a server, memory in the embedded default. A message is settled only
 * after what its door returned has ended, promise or Observable; a door's fault pauses the consumer, its bug is counted, by the bus.
 * `listen` is called when the services have started; `close` takes nothing new and waits for what is under way.
 */
export class BusStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol.for('cairn.bus');
  private bound: readonly Bound[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly bindings: () => readonly Binding[],
  ) {
    super();
  }

  override listen(callback: (error?: unknown) => void): void {
    Promise.all(this.bindings().map((binding) => this.bind(binding))).then((bound) => {
      this.bound = bound;
      callback();
    }, callback);
  }

  override async close(): Promise<void> {
    const bound = this.bound;
    this.bound = [];
    await Promise.all(bound.map((one) => one.stop()));
  }

  /** There are no events of the transport to be told of. */
  override on(): never {
    throw new Error('the bus tells of itself through health and metrics');
  }

  override unwrap<T>(): T {
    return this.bus as T;
  }

  private bind({ pattern, spec, rank }: Binding): Promise<Bound> {
    const door = this.getHandlerByPattern(pattern);
    if (door === null) throw new Error(`no door for ${pattern}`);
    const handle = async (message: IncomingMessage): Promise<Settlement> => {
      const outcome = await lastValueFrom(this.transformToObservable<DoorOutcome>((await door(message)) as DoorOutcome));
      if ('thrown' in outcome) throw outcome.thrown;
      return outcome.settlement;
    };
    return rank === undefined ? this.bus.consume(spec, handle) : this.bus.consume(spec, handle, rank);
  }
}
