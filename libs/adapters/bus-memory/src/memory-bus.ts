import { invariant, type JsonObject } from '@cairn/kernel';
import {
  BusFault,
  MESSAGE_BYTES_MAX,
  type Bound,
  type Bus,
  type Clock,
  type ConsumerSpec,
  type Handle,
  type OutgoingMessage,
  type Randomness,
} from '@cairn/ports';
import { delayOf, type BusFaults } from './bus-faults.js';
import { BusStream, type BusStreamSpec } from './bus-stream.js';
import { Durable, type DeadLetter, type DurableHost } from './durable.js';
import { isSubject } from './subjects.js';

export interface MemoryBusOptions {
  /** For deadlines, pauses and redelivery. A bus without faults, whose messages are settled, delivers without any timer. */
  readonly clock: Clock;
  readonly streams: readonly BusStreamSpec[];
  /** For `faults`; needed by them. */
  readonly randomness?: Pick<Randomness, 'fraction'>;
  readonly faults?: BusFaults;
  /** Told of every error of a handler that is no fault. */
  readonly onBug?: (bug: unknown, durable: string, message: OutgoingMessage) => void;
  /** Told of every dead letter, beside the list: whoever publishes to `CAIRN_DEAD`. */
  readonly onDead?: (letter: DeadLetter) => void;
}

export interface MemoryBound extends Bound {
  /** The consumer's process is dead: nothing that it still answers counts, and its messages come again after `ackWaitMs`. */
  abandon(): void;
}

/** The port, and what only the owner of the world may do. */
export interface MemoryBus extends Bus {
  consume(spec: ConsumerSpec, handle: Handle): Promise<MemoryBound>;
  /** All messages are gone, waiting or under way; consumers stay bound. */
  wipe(): void;
  /** The windows of message ids are forgotten, as after a restart of a server. */
  forgetIds(): void;
  setFaults(faults: BusFaults): void;
  /** Nothing is taken or delivered until it ends. */
  setOutage(away: boolean): void;
  /** The newest dead letters, oldest first. */
  deadLetters(): readonly DeadLetter[];
}

/** Dead letters that are kept for inspection. */
export const DEAD_LETTERS_MAX = 1_000;

/**
 * A bus within this process, whose streams are given as data. A message to a subject that no stream takes is refused with
 * `no_consumer`, as JetStream does. An asked message is never swallowed as a repetition: the asker waits for an answer.
 */
export function createMemoryBus(options: MemoryBusOptions): MemoryBus {
  return new BusInMemory(options);
}

interface Ask {
  readonly answer: (answer: JsonObject) => void;
}

class BusInMemory implements MemoryBus {
  private readonly streams: readonly BusStream[];
  private readonly host: DurableHost;
  private readonly dead: DeadLetter[] = [];
  private readonly asks = new Set<(fault: BusFault) => void>();
  private faults: BusFaults;
  private away = false;
  private closed = false;

  constructor(private readonly options: MemoryBusOptions) {
    this.streams = options.streams.map((spec) => new BusStream(spec));
    this.faults = options.faults ?? {};
    this.host = {
      clock: options.clock,
      away: () => this.away || this.closed,
      dead: (letter) => this.bury(letter),
      onBug: (bug, durable, message) => options.onBug?.(bug, durable, message),
      losesSettlement: () => this.happens(this.faults.loseSettlement),
    };
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.send(message, undefined);
  }

  ask(message: OutgoingMessage, deadlineMs: number): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        this.asks.delete(fail);
      };
      const fail = (fault: BusFault): void => {
        end();
        reject(fault);
      };
      const answer = (value: JsonObject): void => {
        if (this.happens(this.faults.loseAnswer)) return;
        end();
        resolve(value);
      };
      const timer = this.options.clock.after(deadlineMs, () =>
        fail(new BusFault('ask_timeout', `${message.subject}: no answer within ${deadlineMs} ms`)),
      );
      this.asks.add(fail);
      try {
        this.send(message, { answer });
      } catch (error) {
        end();
        reject(error as Error);
      }
    });
  }

  async consume(spec: ConsumerSpec, handle: Handle): Promise<MemoryBound> {
    this.mustBeThere();
    const stream = this.streams.find(({ spec: { name } }) => name === spec.busStream);
    invariant(stream !== undefined, `consumer ${spec.durable}: there is no bus stream ${spec.busStream}`);
    let durable = stream.durables.get(spec.durable);
    if (durable === undefined) {
      durable = new Durable(spec, this.host);
      stream.addDurable(durable);
    }
    return durable.bind(handle);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const fail of this.asks) fail(new BusFault('bus_unavailable', 'the bus is closed'));
    await Promise.all(this.durables().map((durable) => durable.close()));
  }

  wipe(): void {
    for (const stream of this.streams) stream.wipe();
  }

  forgetIds(): void {
    for (const stream of this.streams) stream.forgetIds();
  }

  setFaults(faults: BusFaults): void {
    this.faults = faults;
  }

  setOutage(away: boolean): void {
    this.away = away;
    if (!away) for (const durable of this.durables()) durable.wake();
  }

  deadLetters(): readonly DeadLetter[] {
    return this.dead;
  }

  private send(message: OutgoingMessage, ask: Ask | undefined): void {
    if (!isSubject(message.subject)) throw new BusFault('bad_subject', `not a subject: ${message.subject.slice(0, 200)}`);
    checkSize(message);
    this.mustBeThere();
    if (this.happens(this.faults.refuse)) throw new BusFault('bus_unavailable', 'refused by the fault plan');
    const tokens = message.subject.split('.');
    const stream = this.streams.find((candidate) => candidate.takes(tokens));
    if (stream === undefined) throw new BusFault('no_consumer', `${message.subject}: no bus stream takes it`);
    const now = this.options.clock.monotonicMs();
    if (stream.isRepeated(message, now) && ask === undefined) return;
    if (this.happens(this.faults.drop)) return;
    this.enqueue(stream, tokens, message, ask, now);
    if (this.happens(this.faults.duplicate)) this.enqueue(stream, tokens, message, ask, now);
  }

  private enqueue(stream: BusStream, tokens: readonly string[], message: OutgoingMessage, ask: Ask | undefined, now: number): void {
    const expiresAt = now + Math.min(stream.spec.maxAgeMs ?? Infinity, message.expiresMs ?? Infinity);
    const make = () => ({ message, expiresAt, answer: ask?.answer, deliveries: 0, bugs: 0, settled: false });
    const add = (): boolean => stream.add(tokens, make, this.happens(this.faults.reorder) ? this.fraction() : undefined);
    if (this.happens(this.faults.delay)) {
      this.options.clock.after(delayOf(this.faults.maxDelayMs ?? 0, this.fraction()), () => void (this.closed || add()));
    } else if (!add()) {
      throw new BusFault('bus_unavailable', `${stream.spec.name} is full`);
    }
  }

  private bury(letter: DeadLetter): void {
    this.dead.push(letter);
    if (this.dead.length > DEAD_LETTERS_MAX) this.dead.shift();
    this.options.onDead?.(letter);
  }

  private durables(): Durable[] {
    return this.streams.flatMap(({ durables }) => [...durables.values()]);
  }

  private happens(chance: number | undefined): boolean {
    return chance !== undefined && chance > 0 && this.fraction() < chance;
  }

  private fraction(): number {
    invariant(this.options.randomness !== undefined, 'a memory bus with faults needs randomness');
    return this.options.randomness.fraction();
  }

  private mustBeThere(): void {
    if (this.closed) throw new BusFault('bus_unavailable', 'the bus is closed');
    if (this.away) throw new BusFault('bus_unavailable', 'the bus is away');
  }
}

/** UTF-8 takes at most three bytes for one UTF-16 code unit, so most bodies need no exact count. */
function checkSize({ subject, body }: OutgoingMessage): void {
  const text = JSON.stringify(body);
  if (text.length * 3 <= MESSAGE_BYTES_MAX) return;
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > MESSAGE_BYTES_MAX) throw new BusFault('message_too_large', `${subject}: ${bytes} bytes, at most ${MESSAGE_BYTES_MAX}`);
}
