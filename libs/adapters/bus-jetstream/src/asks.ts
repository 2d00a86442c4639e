import type { JsonObject } from '@cairn/kernel';
import { BusFault, type Clock, type OutgoingMessage } from '@cairn/ports';
import type { Msg, Subscription } from '@nats-io/nats-core';
import type { Link } from './link.js';
import type { Publisher } from './publish.js';
import { ANSWER_TO, ASKED_ID, MESSAGE_ID, readObject } from './wire.js';

/** Whoever asks hears of its own deadline, not of the publishing's. */
const PUBLISH_GRACE_MS = 100;

interface Waiting {
  readonly answered: (answer: JsonObject) => void;
  readonly failed: (fault: BusFault) => void;
}

/** Who waits for an outcome: one inbox a process, one token an asking. */
export class Asks {
  private readonly inbox: string;
  private readonly waiting = new Map<string, Waiting>();
  private readonly subscription: Subscription;
  private asked = 0;

  constructor(
    link: Link,
    private readonly publisher: Publisher,
    private readonly clock: Clock,
  ) {
    this.inbox = link.newInbox();
    this.subscription = link.listen(`${this.inbox}.*`, (message) => this.hear(message));
  }

  /**
   * Publishes with the inbox in a header, which the stream keeps, and waits. The server would swallow a second asking under the same
   * id without anybody to answer it: each asking has an id of its own there, and the message's id travels beside it.
   */
  async ask(message: OutgoingMessage, deadlineMs: number): Promise<JsonObject> {
    const token = String(this.asked++);
    const to = `${this.inbox}.${token}`;
    const answer = new Promise<JsonObject>((answered, failed) => this.waiting.set(token, { answered, failed }));
    answer.catch(() => undefined); // Publishing may fail first.
    let isPublished = false;
    const timer = this.clock.after(deadlineMs, () => {
      // What the bus does not have nobody can be at work on: whoever asked must not be told that an answer is to come (P-1).
      const fault = isPublished
        ? new BusFault('ask_timeout', `${message.subject}: no answer within ${deadlineMs} ms`)
        : new BusFault('bus_unavailable', `${message.subject}: not acknowledged within ${deadlineMs} ms`);
      this.waiting.get(token)?.failed(fault);
    });
    const fields = { [MESSAGE_ID]: `${message.id}.${to}`, [ASKED_ID]: message.id, [ANSWER_TO]: to };
    try {
      const published = this.publisher.publish(message, fields, deadlineMs + PUBLISH_GRACE_MS);
      return await Promise.race([
        answer,
        published.then(() => {
          isPublished = true;
          return answer;
        }),
      ]);
    } finally {
      timer.cancel();
      this.waiting.delete(token);
    }
  }

  /** Nobody is answered any more. */
  close(): void {
    this.subscription.unsubscribe();
    for (const { failed } of this.waiting.values()) failed(new BusFault('bus_unavailable', 'the bus was closed before an answer came'));
  }

  private hear({ subject, data }: Msg): void {
    const content = readObject(data);
    if ('body' in content) this.waiting.get(subject.slice(this.inbox.length + 1))?.answered(content.body);
  }
}
