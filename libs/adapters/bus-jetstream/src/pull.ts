import { RANKS_MAX, type Clock } from '@cairn/ports';
import { nanos, type Msg, type Subscription } from '@nats-io/nats-core';
import type { Link } from './link.js';
import { PRIORITY_GROUP } from './topology.js';

/** A request for messages ends after this and is made again: a replica that died is not served much longer (`facts.md` §2.4). */
const EXPIRES_MS = 2_000;
/** Silence for longer, without even the word that a request has ended, means that nobody knows it any more: it is made again. */
const SILENCE_MS = 2_500;
/** When there is no such consumer or the server cannot, we ask again so often. */
const REFUSED_PAUSE_MS = 500;

/** Why no messages come: what the server said last, if it was a refusal. */
export type Refusal = 'no_consumer' | 'consumer_deleted' | 'refused';

export interface PullTarget {
  readonly busStream: string;
  readonly durable: string;
}

/**
 * Asks the server for messages of one durable consumer, over and over, on an inbox of its own. The client library has such a loop too;
 * ours ends without losing what is on its way (`stop` drains), so that nothing waits for `ackWaitMs` after a service has stopped.
 */
export class Pull {
  private subscription: Subscription | undefined;
  private inbox = '';
  /** Messages that the server may still send for requests that stand. */
  private wanted = 0;
  private heardAt = 0;
  /** With which the requests that stand were made. */
  private rank = 0;
  private stopped = false;
  private readonly forget: () => void;

  /** The server's last word, if it was a refusal. */
  refusal: Refusal | undefined;

  constructor(
    private readonly link: Link,
    private readonly clock: Clock,
    private readonly target: PullTarget,
    /** How many messages may be on their way at once; the server holds to `max_ack_pending` besides. */
    private readonly batch: number,
    private readonly onMessage: (message: Msg) => void,
    /** Of a `prioritized` consumer: how its requests rank now. */
    private readonly rankNow?: () => number,
  ) {
    this.forget = link.onUp(() => this.ask());
    this.open();
  }

  /** Called again and again: asks anew where the rank has changed, or nobody seems to know what was asked. */
  look(): void {
    if (this.stopped) return;
    if (this.rankOf() !== this.rank) this.rerank();
    else if (this.clock.monotonicMs() - this.heardAt >= SILENCE_MS) this.ask();
  }

  /** Begins anew on a fresh inbox: what the server knew of the old one is void. */
  renew(): void {
    if (this.stopped) return;
    this.subscription?.unsubscribe();
    this.open();
  }

  /** Takes no more. Resolves when what was on its way has been handed to `onMessage`. */
  async stop(): Promise<void> {
    this.abandon();
    await this.subscription?.drain().catch(() => undefined); // The connection is gone: nothing is on its way.
  }

  /** As `stop`, where there is no connection any more. */
  abandon(): void {
    this.stopped = true;
    this.forget();
  }

  private open(): void {
    const inbox = (this.inbox = this.link.newInbox());
    this.rank = this.rankOf();
    this.subscription = this.link.listen(inbox, (message) => this.hear(message, inbox));
    this.ask();
  }

  private rankOf(): number {
    return this.rankNow === undefined ? 0 : Math.min(this.rankNow(), RANKS_MAX - 1);
  }

  /** The requests of the former rank end with their inbox; what is on its way to it is taken all the same. */
  private rerank(): void {
    void this.subscription?.drain().catch(() => undefined); // The connection is gone: nothing is on its way.
    this.open();
  }

  private hear(message: Msg, inbox: string): void {
    if (inbox !== this.inbox) {
      if (message.subject !== inbox) this.onMessage(message);
      return;
    }
    this.heardAt = this.clock.monotonicMs();
    if (message.subject !== inbox) {
      this.refusal = undefined;
      this.wanted--;
      this.onMessage(message);
      if (!this.stopped && this.wanted <= this.batch / 4) this.ask(this.batch - Math.max(0, this.wanted));
      return;
    }
    if (!this.stopped) this.hearStatus(message);
  }

  /** 408 and 409 end a request, for good reason or bad; 503 says that nobody serves such a consumer. */
  private hearStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const says = message.headers?.description ?? '';
    this.wanted -= Number(message.headers?.get('Nats-Pending-Messages') || this.wanted);
    this.refusal = refusalOf(code, says);
    if (this.refusal === undefined) {
      if (this.wanted <= 0) this.ask();
    } else {
      this.wanted = 0;
      this.heardAt = this.clock.monotonicMs() - SILENCE_MS + REFUSED_PAUSE_MS;
    }
  }

  private ask(batch = this.batch): void {
    if (this.stopped || !this.link.isUp) return;
    if (batch === this.batch) this.wanted = 0;
    this.wanted += batch;
    this.heardAt = this.clock.monotonicMs();
    const ranked = this.rankNow === undefined ? {} : { group: PRIORITY_GROUP, priority: this.rank };
    const request = { batch, expires: nanos(EXPIRES_MS), ...ranked };
    this.link.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.target.busStream}.${this.target.durable}`, JSON.stringify(request), {
      reply: this.inbox,
    });
  }
}

function refusalOf(code: number, says: string): Refusal | undefined {
  if (code === 503) return 'no_consumer';
  if (code === 409 && /deleted/i.test(says)) return 'consumer_deleted';
  if (code === 400 || (code === 409 && !/batch completed|leadership/i.test(says))) return 'refused';
  return undefined;
}
