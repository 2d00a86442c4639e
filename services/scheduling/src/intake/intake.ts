import type { EventEmitted } from '@cairn/domain-run';
import { bodyDigestOf, isSettled, receiptView, type EventReceived, type ReceiptState, type ReceiptView } from '@cairn/domain-schedule';
import { conflicts } from '@cairn/domain-schedule/decider';
import { idOf, invariant, type Id, type Json, type JsonObject } from '@cairn/kernel';
import {
  ASK_DEADLINE_MS,
  isFault,
  StoreFault,
  type Artifacts,
  type Clock,
  type EventStore,
  type IncomingMessage,
  type Settlement,
  type Timer,
} from '@cairn/ports';
import type { Inbound } from '../matching/inbound.js';
import type { Matcher } from '../matching/matcher.js';
import type { Mutants } from '../mutants.js';
import { sourceOfEmission, type Emission, type SchedulingSet } from '../working-set/scheduling-set.js';
import { loadData, storeData } from './event-data.js';
import { VIA } from './check-attributes.js';
import { parseEvent, tooManyHops, type ParsedEvent } from './parse-event.js';
import type { ReceiptBook, ReceiptHead } from './receipt-book.js';

export interface IntakeParts {
  readonly ports: { readonly store: EventStore; readonly artifacts: Artifacts };
  readonly set: SchedulingSet;
  readonly book: ReceiptBook;
  readonly matcher: Matcher;
  readonly mutants: Mutants;
  readonly clock: Clock;
  /** Asks the tail for what was just appended. */
  readonly nudge: () => void;
  /** Tells the world a receipt of which nothing new is to be said. */
  readonly tellAgain: (ns: string, receipt: ReceiptView) => void;
}

/** How long an event waits for its own receipt to come back by the tail: whoever asked is still there to hear that it is accepted. */
const FOLDED_PATIENCE_MS = ASK_DEADLINE_MS - 1_000;

/** The one door of every event from outside: write its receipt, then find out what it does (`architecture.md` §2). */
export class Intake {
  private readonly inHand = new Map<Id, Promise<ReceiptState>>();

  constructor(private readonly parts: IntakeParts) {}

  /**
   * Takes one message of `CAIRN_IN`. Settled `done` once the event is durable; the answer is its receipt, `pending` where it could
   * not be brought to an end now. What has no identity is answered with `{outcome: 'refused', problem}` and becomes a dead letter: there
   * is no receipt that its sender could look for.
   * Throws faults of the store: the message comes again.
   */
  async take(message: IncomingMessage): Promise<Settlement> {
    const parsed = parseEvent(message.subject, message.body);
    if (!parsed.ok) {
      const problem = { code: 'event_invalid', detail: parsed.errors[0]?.says ?? 'no event', errors: parsed.errors };
      return {
        kind: 'never',
        reason: `event_invalid: ${parsed.errors.map(({ pointer, rule, says }) => `${pointer} ${rule}: ${says}`).join('; ')}`,
        answer: { outcome: 'refused', problem } as unknown as JsonObject,
      };
    }
    const via = message.asked && message.body[VIA] === 'http' ? 'http' : 'bus'; // The gateway asks; who only publishes is no gateway.
    if (this.parts.mutants.has('M-5')) {
      void this.accept(parsed.parsed, via, message.id).catch(() => undefined); // M-5: answered before anything is durable.
      return { kind: 'done', answer: { outcome: 'pending' } };
    }
    const { receipt, known } = await this.accept(parsed.parsed, via, message.id);
    if (known && !message.asked) this.parts.tellAgain(parsed.parsed.ns, receipt);
    return { kind: 'done', answer: receipt as unknown as JsonObject };
  }

  /** A run told the world something: it comes in like any other event. */
  async takeEmission(emission: Emission): Promise<void> {
    const [event] = await this.parts.ports.store.read(emission.stream, emission.revision, emission.revision);
    invariant(event?.type === 'EventEmitted', `${emission.stream}@${emission.revision} is no EventEmitted`);
    const { eventId, type, key, data, hops } = event.data as unknown as EventEmitted['data'];
    const refusal = tooManyHops(hops);
    const parsed: ParsedEvent = {
      ns: emission.ns,
      event: {
        source: sourceOfEmission(emission.ns, emission.workflow),
        id: eventId,
        type,
        ...(key === undefined ? {} : { key }),
        time: event.at,
        extensions: { cairnhops: hops, ...(event.metadata.runId === undefined ? {} : { cairnrun: event.metadata.runId }) },
      },
      data,
      ...(refusal === undefined ? {} : { refusal }),
    };
    await this.accept(parsed, 'emit', eventId);
  }

  /** Brings a receipt to its end that was left without an outcome. Throws faults. */
  async finish(ns: string, receiptId: Id): Promise<void> {
    if (this.inHand.has(receiptId)) return;
    const head = await this.parts.book.read(receiptId);
    if (head === undefined || isSettled(head.state)) return;
    await this.settle(ns, head, undefined, Promise.resolve());
  }

  /** An accepted event with its data, or `undefined` if there is no such receipt. */
  async load(ns: string, receiptId: Id): Promise<Inbound | undefined> {
    const head = await this.parts.book.read(receiptId);
    return head === undefined ? undefined : this.inbound(ns, head, undefined);
  }

  /** Receipts that this instance is at work on. */
  isInHand(receiptId: Id): boolean {
    return this.inHand.has(receiptId);
  }

  /** `known`: the event came before, and its receipt said all that this answer says. */
  private async accept(
    { ns, event, data, refusal }: ParsedEvent,
    from: EventReceived['data']['via'],
    messageId: string,
  ): Promise<{ readonly receipt: ReceiptView; readonly known: boolean }> {
    const { book, set, ports, mutants } = this.parts;
    // M-24: the bus's message id decides what was seen before.
    const receiptId = mutants.has('M-24') ? idOf('receipt', ns, 'message', messageId) : idOf('receipt', ns, event.source, event.id);
    const via = set.emissions.has(receiptId) ? 'emit' : from; // The relay publishes what runs emit.
    const bodyDigest = bodyDigestOf({ ...event, ...(data === undefined ? {} : { data }) });
    const received: EventReceived['data'] = { receiptId, ...event, ...(await storeData(ports.artifacts, data)), bodyDigest, via };
    const expected = set.receipts.expect(receiptId);
    try {
      const { appended, head } = await book.receive(ns, received, refusal);
      if (conflicts(head.state, received)) return { receipt: conflictView(head.state), known: !appended };
      if (isSettled(head.state)) return { receipt: receiptView(head.state), known: !appended }; // A duplicate gets the receipt.
      this.parts.nudge();
      const inTime = this.inTime(expected.folded);
      const state = await this.settleUnlessFault(ns, head, data, inTime.folded).finally(inTime.end);
      return { receipt: receiptView(state), known: false };
    } finally {
      expected.forget();
    }
  }

  /** A tail that is late costs a sweep, not a caller: a fault when it has not delivered in time. Whoever calls ends it. */
  private inTime(folded: Promise<void>): { readonly folded: Promise<void>; readonly end: () => void } {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      const fault = new StoreFault('store_unavailable', `the tail is more than ${FOLDED_PATIENCE_MS} ms behind`);
      timer = this.parts.clock.after(FOLDED_PATIENCE_MS, () => reject(fault));
    });
    const either = Promise.race([folded, late]);
    either.catch(() => undefined); // Not every event waits for it.
    return { folded: either, end: () => timer?.cancel() };
  }

  /** Execution or the store is away: the event is accepted all the same, and the sweep finds out what it does. */
  private async settleUnlessFault(ns: string, head: ReceiptHead, data: Json | undefined, folded: Promise<void>): Promise<ReceiptState> {
    try {
      return await this.settle(ns, head, data, folded);
    } catch (error) {
      if (isFault(error)) return head.state;
      throw error;
    }
  }

  private settle(ns: string, head: ReceiptHead, data: Json | undefined, folded: Promise<void>): Promise<ReceiptState> {
    const { receiptId } = head.state.event;
    const underWay = this.inHand.get(receiptId);
    if (underWay !== undefined) return underWay;
    const settling = this.findOut(ns, head, data, folded).finally(() => this.inHand.delete(receiptId));
    this.inHand.set(receiptId, settling);
    return settling;
  }

  private async findOut(ns: string, head: ReceiptHead, data: Json | undefined, folded: Promise<void>): Promise<ReceiptState> {
    const { matcher, book } = this.parts;
    const lines = await matcher.linesFor(await this.inbound(ns, head, data), folded);
    return (await book.settle(ns, head.state.event.receiptId, lines, head)) ?? head.state;
  }

  private async inbound(ns: string, { state }: ReceiptHead, data: Json | undefined): Promise<Inbound> {
    const whole = data === undefined ? await loadData(this.parts.ports.artifacts, state.event) : data;
    return { ns, receiptId: state.event.receiptId, receipt: state, data: whole };
  }
}

/** The receipt as it is told to a second sender of the same id. */
function conflictView(state: ReceiptState): ReceiptView {
  const problem = state.lines.find((line) => line.problem?.code === 'idempotency_conflict')?.problem;
  return { ...receiptView(state), outcome: 'refused', ...(problem === undefined ? {} : { problem }) };
}
