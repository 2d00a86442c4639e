import assert from 'node:assert/strict';
import type { JsonObject } from '@cairn/kernel';
import { done, type Bound, type Bus, type ConsumerSpec, type IncomingMessage, type OutgoingMessage, type Settlement } from '@cairn/ports';
import { waitUntil } from '../../wait-until.js';

/** Longer than any case: nothing is redelivered because a busy machine held a process up. */
const LONG_ACK_WAIT_MS = 60_000;
/** Short, so that a case about redelivery is over soon. */
export const ACK_WAIT_MS = 400;

const common = { ackWaitMs: LONG_ACK_WAIT_MS, bugsMax: 3, inFlightMax: 16 } as const;

export const facts = (durable: string, filters: readonly string[] = ['contract.fact.>']): ConsumerSpec => ({
  durable,
  busStream: 'CONTRACT_FACTS',
  filters,
  ...common,
});
export const work = (durable: string, filters: readonly string[] = ['contract.work.*']): ConsumerSpec => ({
  durable,
  busStream: 'CONTRACT_WORK',
  filters,
  ...common,
});
/** For the cases that wait until `ACK_WAIT_MS` are over. */
export const hasty = (spec: ConsumerSpec): ConsumerSpec => ({ ...spec, ackWaitMs: ACK_WAIT_MS });

let sent = 0;

/** A message with an id that no other of this process has. */
export const message = (subject: string, body: JsonObject = {}): OutgoingMessage => ({ subject, id: `m${process.pid}-${sent++}`, body });

export const refused = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;

/** A consumer that writes down what it is given. */
export class Inbox {
  readonly messages: IncomingMessage[] = [];

  private constructor(
    private readonly patienceMs: number,
    private binding?: Bound,
  ) {}

  static async on(
    bus: Bus,
    spec: ConsumerSpec,
    patienceMs: number,
    settle: (message: IncomingMessage) => Promise<Settlement> = async () => done,
  ): Promise<Inbox> {
    const inbox = new Inbox(patienceMs);
    inbox.binding = await bus.consume(spec, (incoming) => {
      inbox.messages.push(incoming);
      return settle(incoming);
    });
    return inbox;
  }

  get bound(): Bound {
    assert.ok(this.binding, 'not bound');
    return this.binding;
  }

  get ids(): string[] {
    return this.messages.map(({ id }) => id);
  }

  get subjects(): string[] {
    return this.messages.map(({ subject }) => subject);
  }

  /** Waits for so many deliveries, and refuses more. */
  async has(count: number): Promise<this> {
    await waitUntil(`the consumer has ${count} deliveries`, () => this.messages.length >= count, this.patienceMs);
    assert.equal(this.messages.length, count, 'more deliveries than expected');
    return this;
  }
}
