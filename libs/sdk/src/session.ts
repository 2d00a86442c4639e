import { randomBytes } from 'node:crypto';
import type { CloudEvent, ExchangeResponse, TaskData } from '@cairn/contracts';
import { crockford, EXTERNAL_ID_MAX as PROGRESS_MAX, type Id } from '@cairn/kernel';
import { findServer, type Connection, type ConnectionOptions } from './connection.js';
import type { Handler, Outcome } from './handler.js';
import { Lane } from './lane.js';
import { Outbox, type Reply } from './outbox.js';
import { RecentIds } from './recent-ids.js';
import { failedReplyText, replyText } from './reply-text.js';
import { Attempt, type AttemptHost } from './task.js';
import { Transport } from './transport.js';

/** Frames under way at the same time: one held open by the server, one that brings it news (`architecture.md` §4.2). */
const FRAMES_MAX = 2;
/**
 * Waits between attempts to reach a server that is away: doubled from the first to the last, jittered. Several fit into the time that a
 * server gives to a session whose connection was cut (`HANG_UP_GRACE_MS`).
 */
const BACKOFF_FIRST_MS = 10;
const BACKOFF_LAST_MS = 1_000;
/** A server that answers an idle frame at once is asked again after this time, so that no fault of it becomes a busy loop. */
const IDLE_PAUSE_MS = 20;

/**
 * One worker session: what the exchange (`architecture.md` §4.2) asks of a client. It lives as long as the process; the server may go
 * and come back under it. While the server is away running tasks go on, and their replies are kept until somebody takes them.
 */
export class Session implements AttemptHost {
  /** Unguessable: whoever knows it could renew our leases. */
  readonly id: Id = crockford(randomBytes(16));
  readonly #lanes = new Map<string, Lane>();
  readonly #hand = new Map<Id, Attempt>();
  readonly #outbox = new Outbox();
  readonly #recent = new RecentIds();
  #transport: Transport;
  #connection: Connection;
  /** Counts connections: what an older one still says about failure is no news. */
  #line = 1;
  #framesOut = 0;
  #seq = 0;
  #tickAsked = false;
  #resting = false;
  #failures = 0;
  #away = '';
  #heardAt = performance.now();
  /** A frame was refused: replies go one by one until it is clear which of them is not acceptable. */
  #oneByOne = false;
  #stopping = false;
  #ended = false;
  #settledAll: () => void = () => {};

  constructor(
    handlers: readonly Handler[],
    private readonly options: ConnectionOptions,
    private readonly name: string,
    private readonly say: (line: string) => void,
  ) {
    for (const one of handlers) this.#lanes.set(one.queue, new Lane(one, (attempt, outcome) => this.#attemptEnded(attempt, outcome)));
    this.#connection = findServer(options);
    this.#transport = new Transport(this.#connection.url, this.#connection.token);
    this.#askForTick();
  }

  /**
   * Takes nothing new, lets what runs come to its end and waits until every reply is settled. After `graceMs` the tasks' signals are
   * aborted, after as long again it gives up: what is left becomes `handler_lost`.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const abort = setTimeout(() => this.#hand.forEach((attempt) => attempt.abort('the process drains')), graceMs);
    let giveUp: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      giveUp = setTimeout(resolve, graceMs * 2);
      this.#settledAll = resolve;
      this.#askForTick();
      this.#checkSettled();
    });
    clearTimeout(abort);
    clearTimeout(giveUp);
    this.#ended = true;
    this.#transport.close();
  }

  /** Reports progress of an attempt. `false`: it is not open any more. What cannot be delivered counts as delivered. */
  async progress(attemptId: Id, says: string): Promise<boolean> {
    try {
      const { status, text } = await this.#transport.post(
        this.#path(`work/${attemptId}:heartbeat`),
        JSON.stringify({ progress: says.slice(0, PROGRESS_MAX) }),
      );
      return status !== 200 || (JSON.parse(text) as { accepted?: unknown }).accepted !== false;
    } catch {
      return true;
    }
  }

  /** One frame a tick: what became ready in the same turn of the event loop travels together. */
  #askForTick(): void {
    if (this.#tickAsked) return;
    this.#tickAsked = true;
    setImmediate(() => {
      this.#tickAsked = false;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#ended || this.#resting || this.#framesOut >= FRAMES_MAX) return;
    if (this.#framesOut > 0 && !this.#outbox.hasWork(performance.now())) return;
    void this.#sendFrame();
  }

  async #sendFrame(): Promise<void> {
    const line = this.#line;
    const replies = this.#outbox.take(performance.now(), this.#oneByOne ? 1 : Infinity);
    const sentAt = performance.now();
    this.#framesOut++;
    try {
      const { status, text } = await this.#transport.post(this.#path('work:exchange'), this.#frame(replies));
      if (status === 200) {
        const answer = JSON.parse(text) as ExchangeResponse;
        if (line === this.#line) this.#framesOut--;
        this.#heard();
        this.#read(answer);
        this.#next(replies.length === 0 && answer.tasks.length === 0 && performance.now() - sentAt < IDLE_PAUSE_MS);
      } else if (line === this.#line) this.#refused(status, text, replies);
    } catch (error) {
      if (line === this.#line) this.#lost(reasonOf(error));
    }
  }

  #next(atOnce: boolean): void {
    if (!atOnce || this.#framesOut > 0) return this.#askForTick();
    setTimeout(() => this.#askForTick(), IDLE_PAUSE_MS);
  }

  /** Texts are joined, not parsed and written again: replies and ids are JSON already. */
  #frame(replies: readonly Reply[]): string {
    const inThisFrame = new Set(replies.map(({ attemptId }) => attemptId));
    const held: Id[] = [...this.#hand.keys()];
    for (const attemptId of this.#outbox.sentAttempts()) if (!inThisFrame.has(attemptId)) held.push(attemptId);
    let queues = '';
    for (const [queue, lane] of this.#lanes) queues += `${queues === '' ? '' : ','}"${queue}":${this.#stopping ? 0 : lane.free}`;
    const heldText = held.length === 0 ? '' : `"${held.join('","')}"`;
    const replyTexts = replies.map(({ text }) => text).join(',');
    return `{"session":"${this.id}","seq":${++this.#seq},"handler":"${this.name}","queues":{${queues}},"held":[${heldText}],"replies":[${replyTexts}]}`;
  }

  #read(answer: ExchangeResponse): void {
    for (const id of answer.accepted) this.#outbox.settle(id);
    for (const id of answer.late) this.#outbox.settle(id);
    for (const id of answer.forwarded) this.#outbox.settle(id);
    for (const event of answer.tasks) this.#take(event);
    this.#checkSettled();
  }

  /** The same attempt may come twice, in two answers or from a server that was restarted: it runs once. */
  #take(event: CloudEvent<TaskData>): void {
    const data = event.data;
    const lane = data === undefined ? undefined : this.#lanes.get(data.queue);
    if (data === undefined || lane === undefined || !this.#recent.add(data.lease.attemptId)) return;
    const attempt = new Attempt(event, data, this);
    this.#hand.set(attempt.attemptId, attempt);
    lane.take(attempt);
  }

  #attemptEnded(attempt: Attempt, outcome: Outcome): void {
    this.#hand.delete(attempt.attemptId);
    this.#outbox.add({ id: `${attempt.attemptId}:end`, attemptId: attempt.attemptId, text: replyText(attempt, outcome, this.name) });
    this.#askForTick();
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#failures = 0;
    if (this.#away === '') return;
    this.#away = '';
    this.say(`server is back at ${this.#connection.url}`);
  }

  /** A frame that the server will never take. One bad reply must not hold up the others. */
  #refused(status: number, text: string, replies: readonly Reply[]): void {
    const only = replies.length === 1 ? replies[0] : undefined;
    const aboutContent = status === 400 || status === 413 || status === 422;
    if (aboutContent && replies.length > 0) {
      this.#framesOut--;
      this.#outbox.unsend();
      this.#oneByOne = true;
      if (only !== undefined) {
        this.say(`the server refuses the reply ${only.id} (${status}): ${text.slice(0, 300)}`);
        this.#outbox.replace({ ...only, text: failedReplyText(only.text, text) });
      }
      return this.#askForTick();
    }
    this.#lost(`status ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`);
  }

  /** Rests, then looks for the server again, which may have another port and token by now. */
  #lost(why: string): void {
    this.#line++;
    this.#framesOut = 0;
    this.#outbox.unsend();
    this.#transport.close();
    if (this.#away === '') this.say(`no answer from ${this.#connection.url} (${why}); trying again`);
    this.#away = why;
    this.#resting = true;
    const backoff = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** this.#failures++);
    setTimeout(() => this.#reconnect(), backoff * (0.5 + Math.random() / 2));
  }

  #reconnect(): void {
    this.#resting = false;
    if (this.#ended) return;
    const silence = performance.now() - this.#heardAt;
    for (const attempt of this.#hand.values()) if (silence > attempt.leaseMs) attempt.abort('the lease of this attempt is lost: no server');
    this.#connection = findServer(this.options);
    this.#transport = new Transport(this.#connection.url, this.#connection.token);
    this.#askForTick();
  }

  #checkSettled(): void {
    if (this.#outbox.size === 0) this.#oneByOne = false;
    if (this.#stopping && this.#hand.size === 0 && this.#outbox.size === 0) this.#settledAll();
  }

  #path(rest: string): string {
    return `/v1/${this.#connection.ns}/${rest}`;
  }
}

/** By its shape: an error of node's own may come from another realm. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return code ?? message ?? 'no answer';
}
