import { BusFault, type Clock, type OutgoingMessage } from '@cairn/ports';
import { jetstream, JetStreamApiError, type JetStreamClient, type PubAck } from '@nats-io/jetstream';
import { errors, headers, type MsgHdrs } from '@nats-io/nats-core';
import type { Link } from './link.js';
import { bytesOf, MESSAGE_ID, TTL, ttlOf } from './wire.js';
import { mustBeSubject } from './subjects.js';

/** A publish that is not acknowledged within this is a fault: the caller's doorbell is rung again by its sweep. */
export const PUBLISH_DEADLINE_MS = 5_000;
/** An attempt that is not answered within this is repeated with the same id; a stored copy is then swallowed as a repetition. */
const ATTEMPT_MS = 1_000;
/** Between two attempts, where the server answered that it cannot now. */
const PAUSE_MS = 100;
/** Publishes under way at most: beyond, whoever publishes is faster than the bus, and memory would grow with the distance. */
export const PUBLISHES_OPEN_MAX = 16_384;

/** Publishes to JetStream, with a deadline of its own: the client's requests outlive a lost connection. */
export class Publisher {
  private readonly client: JetStreamClient;
  private open = 0;

  constructor(
    private readonly link: Link,
    private readonly clock: Clock,
  ) {
    this.client = jetstream(link.connection);
  }

  /**
   * Resolves when the server has it; the outcome of an attempt that was not answered is unknown, so it is tried again with the same id.
   * Throws `BusFault`: `bad_subject`, `message_too_large` (both before sending), `no_consumer` (no stream takes it), `bus_unavailable`.
   */
  async publish(message: OutgoingMessage, extra: Readonly<Record<string, string>> = {}, deadlineMs = PUBLISH_DEADLINE_MS): Promise<void> {
    mustBeSubject(message.subject);
    const bytes = bytesOf(message);
    if (this.link.connection.isClosed() || this.link.connection.isDraining()) throw new BusFault('bus_unavailable', 'the bus is closed');
    if (this.open >= PUBLISHES_OPEN_MAX) throw new BusFault('bus_unavailable', `${this.open} messages are under way already`);
    const fields = headers();
    const ttl = message.expiresMs === undefined ? {} : { [TTL]: ttlOf(message.expiresMs) };
    for (const [name, value] of Object.entries({ [MESSAGE_ID]: message.id, ...ttl, ...extra })) setHeader(fields, name, value);
    this.open++;
    try {
      await this.attempts(message.subject, bytes, fields, this.clock.monotonicMs() + deadlineMs);
    } finally {
      this.open--;
    }
  }

  private async attempts(subject: string, bytes: Uint8Array, fields: MsgHdrs, deadline: number): Promise<void> {
    let last: unknown;
    for (;;) {
      const left = deadline - this.clock.monotonicMs();
      if (left <= 0) throw new BusFault('bus_unavailable', `${subject}: not acknowledged in time`, { cause: last });
      if (!this.link.isUp) {
        await this.untilUp(left); // What is sent now would wait in the client's buffer, and come twice.
        continue;
      }
      try {
        await this.attempt(subject, bytes, fields, Math.min(left, ATTEMPT_MS));
        return;
      } catch (error) {
        last = error;
        if (!(await this.mayRepeat(error))) return Promise.reject(asFault(subject, error));
      }
    }
  }

  /** One attempt; ends as well when the connection was lost and stands again, since its answer will not come any more. */
  private async attempt(subject: string, bytes: Uint8Array, fields: MsgHdrs, timeout: number): Promise<void> {
    let forget = (): void => undefined;
    const lost = new Promise<never>((_, reject) => {
      forget = this.link.onUp(() => reject(new errors.TimeoutError()));
    });
    try {
      const sent: Promise<PubAck> = this.client.publish(subject, bytes, { headers: fields, timeout });
      sent.catch(() => undefined); // When the connection was lost first.
      await Promise.race([sent, lost]);
    } finally {
      forget();
    }
  }

  private async mayRepeat(error: unknown): Promise<boolean> {
    if (error instanceof errors.TimeoutError || (!this.link.isUp && !this.link.connection.isClosed())) return true;
    if (!(error instanceof JetStreamApiError)) return false;
    if (error.status >= 400 && error.status < 500) return false;
    await this.pause(PAUSE_MS);
    return true;
  }

  private untilUp(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        forget();
        resolve();
      };
      const timer = this.clock.after(Math.min(limitMs, ATTEMPT_MS), end); // A closed connection says nothing: look again.
      const forget = this.link.onUp(end);
    });
  }

  private pause(forMs: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(forMs, resolve));
  }
}

/** A header's value stands in one line; an id with a line break could write headers of its own. */
function setHeader(fields: MsgHdrs, name: string, value: string): void {
  try {
    fields.set(name, value);
  } catch (cause) {
    throw new BusFault('bad_subject', `no header can hold ${name} ${JSON.stringify(value.slice(0, 80))}`, { cause });
  }
}

function asFault(subject: string, cause: unknown): BusFault {
  if (isUntaken(cause)) return new BusFault('no_consumer', `${subject}: no bus stream takes it`, { cause });
  return new BusFault('bus_unavailable', `${subject}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** Nobody answered: no stream listens to this subject. */
function isUntaken(error: unknown): boolean {
  return error instanceof Error && (error.cause instanceof errors.NoRespondersError || isUntaken(error.cause));
}
