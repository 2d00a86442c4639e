import type { ExchangeResponse } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { problemText, type Carried, type Carrier } from './carrier.js';
import { findServer, type Connection, type ConnectionOptions } from './connection.js';
import type { Reply } from './exchange/reply.js';
import { Outbox } from './outbox.js';
import type { Attempt } from './task.js';
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

/** Frames of a session over HTTP to one gateway, which is looked for again wherever it goes. */
export class HttpCarrier implements Carrier {
  readonly isQuiet = true; // What comes with an answer that is cut off stays with the server.
  readonly #outbox = new Outbox();
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
  #ended = false;
  readonly closed = Promise.resolve(); // What is under way is cut off.

  constructor(
    private readonly session: Carried,
    private readonly options: ConnectionOptions,
  ) {
    this.#connection = findServer(options);
    this.#transport = new Transport(this.#connection.url, this.#connection.token);
    this.wake();
  }

  get owes(): number {
    return this.#outbox.size;
  }

  owe(reply: Reply): void {
    this.#outbox.add(reply);
    this.wake();
  }

  async progress({ attemptId }: Attempt, progress: string): Promise<boolean> {
    try {
      const { status, text } = await this.#transport.post(this.#path(`work/${attemptId}:heartbeat`), JSON.stringify({ progress }));
      return status !== 200 || (JSON.parse(text) as { accepted?: unknown }).accepted !== false;
    } catch {
      return true;
    }
  }

  end(): readonly Reply[] {
    this.#ended = true;
    this.#transport.close();
    this.#outbox.unsend();
    return this.#outbox.take(performance.now(), Infinity);
  }

  /** One frame a tick: what became ready in the same turn of the event loop travels together. */
  wake(): void {
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
        this.session.answered(sentAt);
        this.#read(answer);
        this.#next(replies.length === 0 && answer.tasks.length === 0 && performance.now() - sentAt < IDLE_PAUSE_MS);
      } else if (line === this.#line) this.#refused(status, text, replies);
    } catch (error) {
      if (line === this.#line) this.#lost(reasonOf(error));
    }
  }

  #next(atOnce: boolean): void {
    if (!atOnce || this.#framesOut > 0) return this.wake();
    setTimeout(() => this.wake(), IDLE_PAUSE_MS);
  }

  /** Texts are joined, not parsed and written again: replies and ids are JSON already. */
  #frame(replies: readonly Reply[]): string {
    const { id, name, hand, isStopping } = this.session;
    const inThisFrame = new Set(replies.map(({ attemptId }) => attemptId));
    const held: Id[] = [...hand.ids()];
    for (const attemptId of this.#outbox.sentAttempts()) if (!inThisFrame.has(attemptId)) held.push(attemptId);
    let queues = '';
    for (const queue of hand.queues) queues += `${queues === '' ? '' : ','}"${queue}":${isStopping ? 0 : hand.free(queue)}`;
    const heldText = held.length === 0 ? '' : `"${held.join('","')}"`;
    const replyTexts = replies.map(({ text }) => text).join(',');
    return `{"session":"${id}","seq":${++this.#seq},"handler":"${name}","queues":{${queues}},"held":[${heldText}],"replies":[${replyTexts}]}`;
  }

  #read({ accepted, late, forwarded, refused = [], tasks }: ExchangeResponse): void {
    for (const id of accepted) this.#outbox.settle(id);
    for (const id of late) this.#outbox.settle(id);
    for (const id of forwarded) this.#outbox.settle(id);
    for (const { id, errors } of refused) {
      const reply = this.#outbox.settle(id);
      if (reply !== undefined) this.#outbox.add(this.session.instead(reply, problemText(errors)));
    }
    this.session.given(tasks);
    this.#checkSettled();
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#failures = 0;
    if (this.#away === '') return;
    this.#away = '';
    this.session.say(`server is back at ${this.#connection.url}`);
  }

  /** A frame that the server will never take. One bad reply must not hold up the others. */
  #refused(status: number, text: string, replies: readonly Reply[]): void {
    const only = replies.length === 1 ? replies[0] : undefined;
    const aboutContent = status === 400 || status === 413 || status === 422;
    if (!aboutContent || replies.length === 0) return this.#lost(`status ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`);
    this.#framesOut--;
    this.#outbox.unsend();
    this.#oneByOne = true;
    if (only !== undefined) this.#outbox.replace(this.session.instead(only, text));
    this.wake();
  }

  /** Rests, then looks for the server again, which may have another port and token by now. */
  #lost(why: string): void {
    if (this.#ended) return;
    this.#line++;
    this.#framesOut = 0;
    this.#outbox.unsend();
    this.#transport.close();
    if (this.#away === '') this.session.say(`no answer from ${this.#connection.url} (${why}); trying again`);
    this.#away = why;
    this.#resting = true;
    const backoff = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** this.#failures++);
    setTimeout(() => this.#reconnect(), backoff * (0.5 + Math.random() / 2));
  }

  #reconnect(): void {
    this.#resting = false;
    if (this.#ended) return;
    this.session.hand.abort('the lease of this attempt is lost: no server', performance.now() - this.#heardAt);
    this.#connection = findServer(this.options);
    if (this.#connection.nats !== undefined) return this.session.moved();
    this.#transport = new Transport(this.#connection.url, this.#connection.token);
    this.wake();
  }

  #checkSettled(): void {
    if (this.#outbox.size === 0) this.#oneByOne = false;
    this.session.changed();
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
