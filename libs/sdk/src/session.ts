import { randomBytes } from 'node:crypto';
import type { CloudEvent, TaskData } from '@cairn/contracts';
import { crockford, EXTERNAL_ID_MAX as PROGRESS_MAX, type Id } from '@cairn/kernel';
import { ArtifactStore } from './artifacts.js';
import type { Carried, Carrier } from './carrier.js';
import { findServer, type ConnectionOptions } from './connection.js';
import type { Reply } from './exchange/reply.js';
import { Hand } from './hand.js';
import type { Handler, Outcome } from './handler.js';
import { HttpCarrier } from './http-carrier.js';
import { LineCarrier } from './line-carrier.js';
import { isLarge, outputPut } from './large-output.js';
import { failedReplyText, replyText } from './reply-text.js';
import type { Attempt, AttemptHost } from './task.js';

/**
 * One worker session: what the exchange (`architecture.md` §4.2) asks of a client. It lives as long as the process; the server may go
 * and come back under it. While the server is away running tasks go on, and their replies are kept until somebody takes them.
 */
export class Session implements AttemptHost, Carried {
  /** Unguessable: whoever knows it could renew our leases. */
  readonly id: Id = crockford(randomBytes(16));
  readonly hand: Hand;
  readonly artifacts: ArtifactStore;
  #carrier: Carrier;
  #stopping = false;
  #settledAll: () => void = () => {};

  constructor(
    handlers: readonly Handler[],
    private readonly options: ConnectionOptions,
    readonly name: string,
    readonly say: (line: string) => void,
  ) {
    this.artifacts = new ArtifactStore(options);
    this.hand = new Hand(handlers, this, (attempt, outcome) => this.#attemptEnded(attempt, outcome));
    this.#carrier = this.#newCarrier();
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  /**
   * Takes nothing new, lets what runs come to its end and waits until every reply is settled. After `graceMs` the tasks' signals are
   * aborted, after as long again it gives up: what is left becomes `handler_lost`.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const abort = setTimeout(() => this.hand.abort('the process drains'), graceMs);
    let giveUp: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      giveUp = setTimeout(resolve, graceMs * 2);
      this.#settledAll = resolve;
      this.#carrier.wake();
      this.changed();
    });
    clearTimeout(abort);
    clearTimeout(giveUp);
    this.#carrier.end();
    await this.#carrier.closed;
  }

  progress(attempt: Attempt, says: string): Promise<boolean> {
    return this.#carrier.progress(attempt, says.slice(0, PROGRESS_MAX));
  }

  given(tasks: readonly CloudEvent<TaskData>[], giver?: Id): void {
    for (const event of tasks) this.hand.take(event, giver);
  }

  answered(sentAt: number): void {
    this.hand.renewedAt(sentAt);
  }

  changed(): void {
    if (this.#stopping && this.hand.size === 0 && this.#carrier.owes === 0 && this.#carrier.isQuiet) this.#settledAll();
  }

  instead(reply: Reply, problem: string): Reply {
    this.say(`the server refuses the reply ${reply.id}: ${problem.slice(0, 300)}`);
    return { ...reply, text: failedReplyText(reply.text, problem) };
  }

  /** The replies go with the session. */
  moved(): void {
    const owed = this.#carrier.end();
    this.#carrier = this.#newCarrier();
    for (const reply of owed) this.#carrier.owe(reply);
  }

  #newCarrier(): Carrier {
    return findServer(this.options).nats === undefined ? new HttpCarrier(this, this.options) : new LineCarrier(this, this.options);
  }

  /** A large output is put into the artifact store first; until then its attempt is held. */
  #attemptEnded(attempt: Attempt, outcome: Outcome): void {
    if (isLarge(outcome)) void outputPut(this.artifacts, attempt, outcome).then((named) => this.#reply(attempt, named));
    else this.#reply(attempt, outcome);
  }

  #reply(attempt: Attempt, outcome: Outcome): void {
    const { attemptId, replyTo, giver } = attempt;
    this.hand.drop(attemptId);
    this.#carrier.owe({ id: `${attemptId}:end`, attemptId, text: replyText(attempt, outcome, this.name), replyTo }, giver);
  }
}
