import { BusFault, type Clock, type Line, type LineMessage, type Listening } from '@cairn/ports';
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { Link } from '../link.js';
import { isInbox, mustBeFilter, mustBeSubject } from '../subjects.js';
import { Questions } from './questions.js';

/** What a server takes at most if it does not say so itself. */
const PAYLOAD_DEFAULT_BYTES = 1_048_576;

/**
 * After a connection was lost the others may have lost theirs as well, and dial again within the longest pause of `connectNats` and the
 * time of dialling: until then "nobody listens" says nothing about whether they live.
 */
export const OTHERS_RETURN_MS = 3_000;

/**
 * The `Line` on core NATS. The connection stays its owner's: `close` ends what is listened to, and leaves the connection as it is.
 * `inboxPrefix` as given to `connectNats`; `onBug` is told what a listener threw.
 */
export function createNatsLine(
  connection: NatsConnection,
  clock: Clock,
  inboxPrefix?: string,
  onBug: (bug: unknown, subject: string) => void = () => undefined,
): Line {
  return new NatsLine(new Link(connection, inboxPrefix), clock, onBug);
}

class NatsLine implements Line {
  private readonly questions: Questions;
  private readonly listening = new Set<Subscription>();
  private readonly forget: readonly (() => void)[];
  private othersReturnBy = -Infinity;
  private closed = false;

  constructor(
    private readonly link: Link,
    private readonly clock: Clock,
    private readonly onBug: (bug: unknown, subject: string) => void,
  ) {
    this.questions = new Questions(link, clock);
    this.forget = [
      link.onDown(() => this.questions.failAll(new BusFault('bus_unavailable', 'the connection was lost before an answer came'))),
      link.onUp(() => (this.othersReturnBy = clock.monotonicMs() + OTHERS_RETURN_MS)),
    ];
  }

  get aliveAt(): string {
    return this.questions.aliveAt;
  }

  tell(subject: string, data: Uint8Array): void {
    mustBeSubject(subject);
    this.mustFit(subject, data);
    if (this.isUp) this.link.connection.publish(subject, data); // Else it would be heard when its moment is over.
  }

  async ask(subject: string, data: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    mustBeSubject(subject);
    this.mustFit(subject, data);
    this.mustBeUp();
    return this.questions.ask(subject, data, deadlineMs);
  }

  async roundTrip(deadlineMs: number): Promise<void> {
    this.mustBeUp();
    await this.questions.roundTrip(deadlineMs);
  }

  listen(subject: string, hear: (message: LineMessage) => void): Listening {
    mustBeFilter(subject);
    if (this.closed || this.link.connection.isClosed()) throw new BusFault('bus_unavailable', 'the line is closed');
    const subscription = this.link.listen(subject, (message) => {
      try {
        hear(this.messageOf(message));
      } catch (bug) {
        this.onBug(bug, message.subject); // Thrown into the client it would end the connection.
      }
    });
    this.listening.add(subscription);
    return {
      stop: () => {
        this.listening.delete(subscription);
        subscription.unsubscribe();
      },
    };
  }

  /** A stranger names the subject: what is no inbox is not written to. */
  ifGone(aliveAt: string, then: () => void): void {
    if (!this.isUp || !isInbox(aliveAt) || this.clock.monotonicMs() < this.othersReturnBy) return;
    this.questions.probe(aliveAt, then);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const forget of this.forget) forget();
    for (const subscription of this.listening) subscription.unsubscribe();
    this.questions.failAll(new BusFault('bus_unavailable', 'the line was closed before an answer came'));
    this.questions.close();
    if (this.link.isUp) await this.link.connection.flush().catch(() => undefined); // Lost meanwhile: then nobody hears us anyway.
  }

  private get isUp(): boolean {
    return !this.closed && this.link.isUp && !this.link.connection.isDraining();
  }

  private mustBeUp(): void {
    if (!this.isUp) throw new BusFault('bus_unavailable', this.closed ? 'the line is closed' : 'there is no connection');
  }

  private messageOf(message: Msg): LineMessage {
    const to = message.reply ?? '';
    const asked = isInbox(to);
    const answer = (data: Uint8Array): void => {
      this.mustFit(message.subject, data);
      if (asked && this.link.isUp) this.link.connection.publish(to, data);
    };
    return { subject: message.subject, data: message.data, asked, answer };
  }

  private mustFit(subject: string, data: Uint8Array): void {
    const most = this.link.connection.info?.max_payload ?? PAYLOAD_DEFAULT_BYTES;
    if (data.length > most) throw new BusFault('message_too_large', `${subject}: ${data.length} bytes, at most ${most}`);
  }
}
