import type { JsonObject } from '@cairn/kernel';

/** Bytes of a message's body at most: below NATS's `max_payload` of 1 MiB with room for headers and frames. */
export const MESSAGE_BYTES_MAX = 524_288;

/** Who waits for an answer gives up after this (`architecture.md` §4.5); the caller then gets a receipt to follow. */
export const ASK_DEADLINE_MS = 5_000;

export interface OutgoingMessage {
  /** Built by `contracts/subjects.ts` alone: dot-separated tokens without wildcards. */
  readonly subject: string;
  /** A bus may swallow a second message of the same id within its window, even when the first was taken. An optimisation, no promise. */
  readonly id: string;
  readonly body: JsonObject;
  /** The bus may drop it unread after this, in milliseconds; rounded up to what the bus can count. */
  readonly expiresMs?: number;
}

export interface IncomingMessage extends OutgoingMessage {
  /** How many times this consumer was given this message, from 1. A hint: a restart may forget it. */
  readonly deliveries: number;
  /** Somebody waits for the outcome: put it into the settlement's `answer`. */
  readonly asked: boolean;
}

/** What becomes of a message. A value, so that only the adapter ever talks to the bus about it. */
export type Settlement =
  | { readonly kind: 'done'; readonly answer?: JsonObject }
  /** Deliver it again, not before `afterMs`. For faults, never for waiting: what must wait is in the history. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** Never again: it goes to the dead letters with its reason. */
  | { readonly kind: 'never'; readonly reason: string; readonly answer?: JsonObject };

export const done: Settlement = { kind: 'done' };

/** A durable reader of one bus stream. Data: `contracts/consumers.ts`. */
export interface ConsumerSpec {
  readonly durable: string;
  readonly busStream: string;
  /** One or two subject filters, with `*` for one token and a final `>` for the rest. */
  readonly filters: readonly string[];
  /** After so long the messages of a binding that is dead or frozen go to another. A binding that lives keeps what it works on. */
  readonly ackWaitMs: number;
  /** Deliveries that ended in a bug (a thrown error that is no fault) before the message becomes a dead letter. */
  readonly bugsMax: number;
  /** Messages given to this consumer and not yet settled, at most. */
  readonly inFlightMax: number;
  /** Of its bindings the one with the lowest rank is served, the next only while that one cannot take more (`architecture.md` §4.4). */
  readonly prioritized?: true;
}

/** Ranks that a bus tells apart; all further ones count as the last. */
export const RANKS_MAX = 10;

export type Handle = (message: IncomingMessage) => Promise<Settlement>;

export interface Bound {
  /** Takes no new message and resolves when those under way are settled. */
  stop(): Promise<void>;
}

export class BusFault extends Error {
  override readonly name = 'BusFault';
  constructor(
    readonly code: 'bus_unavailable' | 'ask_timeout' | 'message_too_large' | 'bad_subject' | 'no_consumer',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * The doorbell. Losing all that it holds costs latency, never an accepted run, so no method promises durability.
 */
export interface Bus {
  /**
   * Crash: a message that was published may be lost with the bus. Duplicate: may be delivered more than once, to one consumer too.
   * Reorder: may overtake and be overtaken. Concurrent publishers need no coordination.
   * Resolves when the bus has it. Throws `BusFault` (`message_too_large` before sending; `bad_subject` if it is no subject).
   */
  publish(message: OutgoingMessage): Promise<void>;

  /**
   * Publishes and waits for the answer that some consumer's settlement carries.
   * Crash: the answer may be lost although the command was carried out; the command's id makes asking again harmless.
   * Throws `BusFault` after `deadlineMs`: `ask_timeout` if the bus has the message, else `bus_unavailable` (it may have it all the same).
   */
  ask(message: OutgoingMessage, deadlineMs: number): Promise<JsonObject>;

  /**
   * Gives each message that matches to `handle`, at least once, up to `inFlightMax` at a time, in no promised order.
   * Two bindings of one durable share its messages; different durables each get all of them, but in a work-queue stream a
   * message goes to one durable only and is gone when settled. What a binding works on is not given to it again while it lives, however long
   * that takes: where what it waits for is slow, repetitions would make it slower still.
   * A rejected promise is a fault or a bug: the message comes again after a pause; bugs count up to `bugsMax`.
   * `rank` says how this binding of a `prioritized` consumer ranks now, from 0; it is asked again and again. A bus of one process may ignore it.
   */
  consume(spec: ConsumerSpec, handle: Handle, rank?: () => number): Promise<Bound>;

  close(): Promise<void>;
}
