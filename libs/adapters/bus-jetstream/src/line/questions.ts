import { BusFault, type Clock, type Timer } from '@cairn/ports';
import type { Msg } from '@nats-io/nats-core';
import type { Link } from '../link.js';

/** A server says at once that nobody listens; a probe that was not answered by then found somebody. */
const PROBE_FORGET_MS = 2_000;

/** The server's word that nobody listens at a subject. */
const NO_RESPONDERS = 503;

interface Probe {
  readonly forget: Timer;
  readonly then: () => void;
}

interface Waiting {
  readonly answered: (answer: Uint8Array) => void;
  readonly failed: (fault: BusFault) => void;
}

/** What one process has asked and not heard of yet. All answers come to one inbox, each with a token of its own. */
export class Questions {
  /** Listened to for as long as the process lives: others see by it whether it does. */
  readonly aliveAt: string;

  private readonly inbox: string;
  private readonly waiting = new Map<string, Waiting>();
  private readonly probes = new Map<string, Probe>();
  private readonly unsubscribe: () => void;
  private asked = 0;

  constructor(
    private readonly link: Link,
    private readonly clock: Clock,
  ) {
    this.inbox = link.newInbox();
    this.aliveAt = `${this.inbox}.alive`;
    const subscription = link.listen(`${this.inbox}.*`, (message) => this.hear(message));
    this.unsubscribe = () => subscription.unsubscribe();
  }

  /** Resolves with the first answer. Throws `BusFault`: `no_consumer`, `ask_timeout`, or what `failAll` says. */
  async ask(subject: string, data: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return this.awaited(subject, deadlineMs, (token) => this.send(subject, data, token));
  }

  /** Resolves when a word to our own inbox has come back. Throws as `ask`. */
  async roundTrip(deadlineMs: number): Promise<void> {
    await this.awaited('our own inbox', deadlineMs, (token) => this.link.connection.publish(`${this.inbox}.${token}`));
  }

  private async awaited(what: string, deadlineMs: number, send: (token: string) => void): Promise<Uint8Array> {
    const token = String(this.asked++);
    const answer = new Promise<Uint8Array>((answered, failed) => this.waiting.set(token, { answered, failed }));
    const late = (): void => this.waiting.get(token)?.failed(new BusFault('ask_timeout', `${what}: no answer within ${deadlineMs} ms`));
    const timer = this.clock.after(deadlineMs, late);
    try {
      send(token);
      return await answer;
    } finally {
      timer.cancel();
      this.waiting.delete(token);
    }
  }

  /** Calls back if nobody listens there. Whoever does, ignores it. */
  probe(aliveAt: string, then: () => void): void {
    const token = String(this.asked++);
    this.probes.set(token, { forget: this.clock.after(PROBE_FORGET_MS, () => this.probes.delete(token)), then });
    this.send(aliveAt, new Uint8Array(0), token);
  }

  /** No answer will come any more to what was asked until now. */
  failAll(fault: BusFault): void {
    for (const { forget } of this.probes.values()) forget.cancel();
    this.probes.clear();
    for (const { failed } of this.waiting.values()) failed(fault);
  }

  /** From now on others find nobody here. */
  close(): void {
    this.unsubscribe();
  }

  private send(subject: string, data: Uint8Array, token: string): void {
    this.link.connection.publish(subject, data, { reply: `${this.inbox}.${token}` });
  }

  private hear(message: Msg): void {
    if (message.reply) return; // A probe of another process. An answer has no inbox of its own.
    const token = message.subject.slice(this.inbox.length + 1);
    const nobody = message.data.length === 0 && message.headers?.code === NO_RESPONDERS;
    const probe = this.probes.get(token);
    if (probe !== undefined) {
      this.probes.delete(token);
      probe.forget.cancel();
      if (nobody) probe.then();
    } else if (nobody) {
      this.waiting.get(token)?.failed(new BusFault('no_consumer', 'nobody listens there'));
    } else {
      this.waiting.get(token)?.answered(message.data);
    }
  }
}
