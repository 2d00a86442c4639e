import { readHead, transact, type StreamHead } from '@cairn/application';
import { evolveReceipt, type EventReceived, type Problem, type ReceiptLine, type ReceiptState } from '@cairn/domain-schedule';
import { receiveEvent, settleReceipt } from '@cairn/domain-schedule/decider';
import { instantOf, receiptStream, type Id } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';

/** A receipt's stream as last seen. */
export type ReceiptHead = StreamHead<ReceiptState>;

const NONE: StreamHead<ReceiptState | undefined> = { state: undefined, expected: 'no_stream', prevHash: '' };

/** Reads and writes `receipt-<receiptId>`. Everything here may be done again without harm. Throws faults of the store. */
export class ReceiptBook {
  constructor(private readonly ports: { readonly store: EventStore; readonly clock: Clock }) {}

  /** Accepts an event: durable when this resolves. `appended`: its receipt has just begun or grown, and the tail will tell so. */
  async receive(
    ns: string,
    event: EventReceived['data'],
    refusal?: Problem,
  ): Promise<{ readonly appended: boolean; readonly head: ReceiptHead }> {
    const outcome = await transact(this.ports.store, {
      stream: receiptStream(event.receiptId),
      initial: undefined,
      evolve: evolveReceipt,
      decide: (state) => receiveEvent(state, event, refusal),
      context: this.context(ns, event.receiptId, event.extensions['traceparent']),
      believed: NONE, // Nearly every event is new: the append itself is the question.
    });
    const { state } = outcome.head;
    if (state === undefined) throw new TypeError('a receipt that was received has a state');
    return { appended: outcome.kind === 'accepted', head: { ...outcome.head, state } };
  }

  async read(receiptId: Id): Promise<ReceiptHead | undefined> {
    const head = await readHead<ReceiptState | undefined>(this.ports.store, receiptStream(receiptId), undefined, evolveReceipt);
    return head.state === undefined ? undefined : { ...head, state: head.state };
  }

  /** Adds what these lines say and nothing said before. `head` may be old. */
  async settle(ns: string, receiptId: Id, lines: readonly ReceiptLine[], head?: ReceiptHead): Promise<ReceiptState | undefined> {
    const outcome = await transact(this.ports.store, {
      stream: receiptStream(receiptId),
      initial: undefined,
      evolve: evolveReceipt,
      decide: (state) => settleReceipt(state, lines),
      context: this.context(ns, receiptId),
      ...(head === undefined ? {} : { believed: head }),
    });
    return outcome.head.state;
  }

  private context(
    ns: string,
    receiptId: Id,
    traceparent?: unknown,
  ): { ns: string; at: string; actor: string; causationId: string; traceparent?: string } {
    const at = instantOf(this.ports.clock.now());
    return { ns, at, actor: 'service:scheduling', causationId: receiptId, ...(typeof traceparent === 'string' ? { traceparent } : {}) };
  }
}
