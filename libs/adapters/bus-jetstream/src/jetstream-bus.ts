import type { JsonObject } from '@cairn/kernel';
import {
  BusFault,
  type Bound,
  type Bus,
  type Clock,
  type ConsumerSpec,
  type Handle,
  type IncomingMessage,
  type OutgoingMessage,
  type Timer,
} from '@cairn/ports';
import type { NatsConnection } from '@nats-io/nats-core';
import { Asks } from './asks.js';
import { BoundConsumer } from './consume.js';
import type { DeadLetter } from './dead-letters.js';
import { Link } from './link.js';
import { Publisher } from './publish.js';
import { Settler } from './settle.js';
import { managerOf, present } from './topology.js';
import { Watchdog, type Finding } from './watchdog.js';

export interface JetStreamBusOptions {
  /** Of `connectNats`. It is the bus's from now on: `close` drains it. */
  readonly connection: NatsConnection;
  readonly clock: Clock;
  /** As given to `connectNats`. */
  readonly inboxPrefix?: string;
  /** Told of every error of a handler that is no fault. */
  readonly onBug?: (bug: unknown, spec: ConsumerSpec, message: IncomingMessage) => void;
  /**
   * Told of a message that cannot be read, before it is a dead letter: whoever can still answer its sender does. `message.body` is what
   * its headers said of it, or empty. A fault thrown here brings the message again.
   */
  readonly onUnreadable?: (reason: string, spec: ConsumerSpec, message: IncomingMessage) => Promise<void>;
  /** Told of every dead letter that was stored. */
  readonly onDead?: (letter: DeadLetter) => void;
  /** Told of every consumer that gets nothing although it should, at each look until it is put right. */
  readonly onFinding?: (finding: Finding, spec: ConsumerSpec) => void;
  /** Puts such a consumer right, in a process that may. */
  readonly mend?: (finding: Finding, spec: ConsumerSpec) => Promise<void>;
}

/** The port, and what readiness and specs ask of it. */
export interface JetStreamBus extends Bus {
  /** Whether the connection stands. While it does not, publishing waits for it within its deadline. */
  readonly isUp: boolean;
}

/** Between two looks at what every binding has asked for: a changed rank holds after this, for a cost that 64 idle bindings do not show. */
const LOOK_MS = 50;

/** The `Bus` port on a NATS server with JetStream, whose streams and consumers stand already (`applyTopology`). */
export function createJetStreamBus(options: JetStreamBusOptions): JetStreamBus {
  return new BusOnJetStream(options);
}

class BusOnJetStream implements JetStreamBus {
  private readonly link: Link;
  private readonly publisher: Publisher;
  private readonly asks: Asks;
  private readonly bound = new Set<BoundConsumer>();
  private readonly watchdog: Watchdog;
  private looking: Timer;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: JetStreamBusOptions) {
    const { connection, clock, mend } = options;
    this.link = new Link(connection, options.inboxPrefix);
    this.publisher = new Publisher(this.link, clock);
    this.asks = new Asks(this.link, this.publisher, clock);
    const onFinding = options.onFinding ?? (() => undefined);
    void connection.closed().then(() => this.abandon());
    this.watchdog = new Watchdog({ link: this.link, clock, onFinding, ...(mend === undefined ? {} : { mend }) }, this.bound);
    this.looking = clock.after(LOOK_MS, () => this.look());
  }

  get isUp(): boolean {
    return this.closing === undefined && this.link.isUp;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.mustBeOpen();
    await this.publisher.publish(message);
  }

  async ask(message: OutgoingMessage, deadlineMs: number): Promise<JsonObject> {
    this.mustBeOpen();
    return this.asks.ask(message, deadlineMs);
  }

  async consume(spec: ConsumerSpec, handle: Handle, rank?: () => number): Promise<Bound> {
    this.mustBeOpen();
    const { connection } = this.options;
    const info = await present((await managerOf(connection)).consumers.info(spec.busStream, spec.durable));
    if (info === undefined)
      throw new BusFault('no_consumer', `there is no consumer ${spec.durable} on ${spec.busStream}: npx cairn bus apply`);
    this.mustBeOpen(); // It may have been closed meanwhile.
    const settler = new Settler(this.link, this.publisher, spec, this.options.onDead ?? (() => undefined));
    const { clock, onBug = () => undefined, onUnreadable = async () => undefined } = this.options;
    const consumer = new BoundConsumer({ link: this.link, clock, settler, onBug, onUnreadable }, spec, handle, rank);
    this.bound.add(consumer);
    return {
      stop: async () => {
        await consumer.stop();
        this.bound.delete(consumer); // Until then the server is told what it works on.
      },
    };
  }

  close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  /** Consumers first, so that what is under way can still publish, answer and acknowledge. */
  private async drain(): Promise<void> {
    const { connection } = this.options;
    this.watchdog.stop();
    await Promise.all([...this.bound].map((consumer) => consumer.stop()));
    this.looking.cancel();
    this.asks.close();
    if (this.link.isUp) await connection.drain();
    else await connection.close();
  }

  private look(): void {
    this.looking = this.options.clock.after(LOOK_MS, () => this.look());
    for (const consumer of this.bound) consumer.look();
  }

  /** The connection was closed under us: nothing comes any more, and no timer may hold the process. */
  private abandon(): void {
    this.looking.cancel();
    this.watchdog.stop();
    for (const consumer of this.bound) consumer.abandon();
  }

  private mustBeOpen(): void {
    if (this.closing !== undefined || this.options.connection.isClosed()) throw new BusFault('bus_unavailable', 'the bus is closed');
  }
}
