import { BEAT_MS, BEATS_MISSED_MAX, subjects, type CloudEvent, type DeskMessages, type TaskData } from '@cairn/contracts';
import type { FieldError, Id, JsonObject } from '@cairn/kernel';
import { problemText, type Carried, type Carrier } from './carrier.js';
import { clock } from './clock.js';
import { findServer, type Connection, type ConnectionOptions } from './connection.js';
import { Fan, type FanHost } from './exchange/fan.js';
import { HeardReplicas } from './exchange/heard-replicas.js';
import type { Reply } from './exchange/reply.js';
import { openNats, type OpenNats } from './open-nats.js';
import type { Attempt } from './task.js';

/** Waits between attempts to reach a bus that is away: doubled from the first to the last, jittered. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_LAST_MS = 1_000;
/** Silence of all replicas for so long means that the server is away; it is looked for again this often. */
const AWAY_MS = BEAT_MS * BEATS_MISSED_MAX;
const LOOK_MS = 500;
/** How long progress waits for an answer. */
const PROGRESS_MS_MAX = 1_000;

/** Frames of a session over the bus's line, to every replica of execution that is heard. */
export class LineCarrier implements Carrier, FanHost {
  readonly session: Id;
  readonly handler: string;
  #connection: Connection;
  #nats: OpenNats | undefined;
  #replicas: HeardReplicas | undefined;
  #fan: Fan | undefined;
  /** Replies of the time before the first connection. */
  readonly #early = new Map<string, { readonly reply: Reply; readonly giver: Id | undefined }>();
  #failures = 0;
  #away = '';
  #heardAt = performance.now();
  #looking: NodeJS.Timeout | undefined;
  #ended = false;
  closed = Promise.resolve();

  constructor(
    private readonly carried: Carried,
    private readonly options: ConnectionOptions,
  ) {
    this.session = carried.id;
    this.handler = carried.name;
    this.#connection = findServer(options);
    void this.#connect();
  }

  get owes(): number {
    return this.#early.size + (this.#fan?.owes ?? 0);
  }

  get isQuiet(): boolean {
    return this.#fan?.isQuiet ?? true;
  }

  get queues(): Iterable<string> {
    return this.carried.hand.queues;
  }

  /** Also while it stops: its frames are the beats that keep what still runs. */
  readonly isOpen = true;

  get isLeaving(): boolean {
    return this.carried.isStopping;
  }

  free(queue: string): number {
    return this.carried.isStopping ? 0 : this.carried.hand.free(queue);
  }

  held(): Iterable<Id> {
    return this.carried.hand.ids();
  }

  owe(reply: Reply, giver?: Id): void {
    if (this.#fan === undefined) this.#early.set(reply.id, { reply, giver });
    else this.#fan.owe(reply, giver);
  }

  wake(): void {
    this.#fan?.wake();
  }

  given(tasks: readonly CloudEvent<TaskData>[], replica: Id): void {
    this.carried.given(tasks, replica);
  }

  /** Both clocks are monotonic, and only one of them is that of attempts. */
  answered(sentAt: number): void {
    this.carried.answered(performance.now() - (clock.monotonicMs() - sentAt));
  }

  settled(): void {
    this.carried.changed();
  }

  heard(): void {
    this.#heardAt = performance.now();
    if (this.#away !== '') this.carried.say(`server is back at ${this.#connection.nats}`);
    this.#away = '';
    this.carried.changed();
  }

  refused(reply: Reply, errors: readonly FieldError[]): Reply {
    return this.carried.instead(reply, problemText(errors));
  }

  async forward({ id, text, replyTo }: Reply): Promise<void> {
    if (replyTo === undefined || this.#nats === undefined) throw new Error('no durable subject is known');
    await this.#nats.bus.publish({ subject: replyTo, id, body: JSON.parse(text) as JsonObject });
  }

  /** Whoever gave the task knows whether it is open. */
  async progress({ attemptId, giver }: Attempt, _says: string): Promise<boolean> {
    const replica = giver !== undefined && this.#replicas?.has(giver) === true ? giver : undefined;
    if (replica === undefined || this.#nats === undefined) return true;
    try {
      const asks = { attemptId } satisfies DeskMessages['heartbeat']['asks'];
      const subject = subjects.desk(this.#connection.ns, replica, 'heartbeat');
      const answer = await this.#nats.line.ask(subject, Buffer.from(JSON.stringify(asks)), PROGRESS_MS_MAX);
      return (JSON.parse(Buffer.from(answer).toString('utf8')) as { open?: unknown }).open !== false;
    } catch {
      return true;
    }
  }

  end(): readonly Reply[] {
    this.#ended = true;
    clearTimeout(this.#looking);
    const owed = [...[...this.#early.values()].map(({ reply }) => reply), ...(this.#fan?.close() ?? [])];
    this.#hangUp();
    return owed;
  }

  async #connect(): Promise<void> {
    try {
      const nats = await openNats(this.#connection, this.handler, clock);
      if (this.#ended) return await nats.close();
      this.#begin(nats);
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : 'no answer');
    }
  }

  #begin(nats: OpenNats): void {
    this.#nats = nats;
    this.#failures = 0;
    this.#replicas = new HeardReplicas(nats.line, clock);
    const { line } = nats;
    const parts = { line, clock, fraction: Math.random, replicas: this.#replicas, ns: this.#connection.ns, alive: line.aliveAt };
    this.#fan = new Fan(parts, this);
    for (const { reply, giver } of this.#early.values()) this.#fan.owe(reply, giver);
    this.#early.clear();
    this.#looking = setTimeout(() => this.#look(), LOOK_MS);
  }

  /** While nobody is heard it may be that the server stands elsewhere by now. */
  #look(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence > AWAY_MS) {
      if (this.#away === '') this.carried.say(`no replica of execution is heard at ${this.#connection.nats}; trying again`);
      this.#away = 'silent';
      this.carried.hand.abort('the lease of this attempt is lost: no server', silence);
      if (findServer(this.options).nats !== this.#connection.nats) return this.carried.moved();
    }
    this.#looking = setTimeout(() => this.#look(), LOOK_MS);
  }

  #lost(why: string): void {
    if (this.#ended) return;
    if (this.#away === '') this.carried.say(`no answer from ${this.#connection.nats} (${why}); trying again`);
    this.#away = why;
    this.carried.hand.abort('the lease of this attempt is lost: no server', performance.now() - this.#heardAt);
    const backoff = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** this.#failures++);
    this.#looking = setTimeout(
      () => {
        if (findServer(this.options).nats !== this.#connection.nats) return this.carried.moved();
        void this.#connect();
      },
      backoff * (0.5 + Math.random() / 2),
    );
  }

  #hangUp(): void {
    this.#replicas?.stop();
    this.closed = this.#nats?.close() ?? this.closed;
  }
}
