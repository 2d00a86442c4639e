import type { Clock, Timer } from '@cairn/ports';
import { nanos, type Msg, type Subscription } from '@nats-io/nats-core';
import type { Link } from './link.js';

/** A request for messages ends after this and is made again: a replica that died is not served much longer (`facts.md` §2.4). */
const EXPIRES_MS = 2_000;
/** The server says this often that a request stands. */
const HEARTBEAT_MS = 1_000;
/** Silence for longer means that nobody knows our request any more: it is made again. */
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
  private timer: Timer | undefined;
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
  ) {
    this.forget = link.onUp(() => this.ask());
    this.open();
    this.watch();
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
    this.timer?.cancel();
    this.forget();
  }

  private open(): void {
    this.inbox = this.link.newInbox();
    this.subscription = this.link.listen(this.inbox, (message) => this.hear(message));
    this.ask();
  }

  private hear(message: Msg): void {
    this.heardAt = this.clock.monotonicMs();
    if (message.subject !== this.inbox) {
      this.refusal = undefined;
      this.wanted--;
      this.onMessage(message);
      if (!this.stopped && this.wanted <= this.batch / 4) this.ask(this.batch - Math.max(0, this.wanted));
      return;
    }
    if (!this.stopped) this.hearStatus(message);
  }

  /** 100 is a heartbeat; 408 and 409 end a request, for good reason or bad; 503 says that nobody serves such a consumer. */
  private hearStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const says = message.headers?.description ?? '';
    if (code === 100) return;
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
    const request = { batch, expires: nanos(EXPIRES_MS), idle_heartbeat: nanos(HEARTBEAT_MS) };
    this.link.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.target.busStream}.${this.target.durable}`, JSON.stringify(request), {
      reply: this.inbox,
    });
  }

  private watch(): void {
    this.timer = this.clock.after(REFUSED_PAUSE_MS, () => {
      if (this.clock.monotonicMs() - this.heardAt >= SILENCE_MS) this.ask();
      this.watch();
    });
  }
}

function refusalOf(code: number, says: string): Refusal | undefined {
  if (code === 503) return 'no_consumer';
  if (code === 409 && /deleted/i.test(says)) return 'consumer_deleted';
  if (code === 400 || (code === 409 && !/batch completed|leadership/i.test(says))) return 'refused';
  return undefined;
}
