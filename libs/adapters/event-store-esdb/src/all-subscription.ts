import { eventTypeFilter, START, type AllStreamSubscription, type ResolvedEvent } from '@eventstore/db-client';
import type { Randomness, StoreFault, Timer } from '@cairn/ports';
import type { ClientHolder } from './client.js';
import { CALL_DEADLINE_MS } from './deadline.js';
import { codeOf, GRPC, isAccessDenied, unavailable } from './errors.js';
import { comparePositions, positionText, type LogPosition } from './position.js';
import type { LogRecord } from './reading.js';

/** Events that the server looks at for one page, hence between two checkpoints. Scanning is slow with the default of 32. */
const SEARCH_WINDOW = 500;
/** Delays before a dropped subscription is opened again: they double from one failure to the next, each with its jitter. */
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 5_000;
/** So many refusals in a row that are about the request, not about the server's state, end the tail. */
const REFUSALS_MAX = 3;

export interface SubscriptionListener {
  readonly event: (record: LogRecord) => void;
  /** Everything up to `position` was looked at. */
  readonly checkpoint: () => void;
  /** The server says that it has sent what there was. Servers before 23.10 say nothing. */
  readonly live: () => void;
  /** It cannot be followed, now or later. */
  readonly failed: (fault: StoreFault) => void;
}

/**
 * `$all` by event type, for ever: servers drop live subscriptions whenever a burst does not fit their buffer, and the client does not
 * open them again, so this does, behind the last event or checkpoint that came.
 */
export class AllSubscription {
  private subscription: AllStreamSubscription | undefined;
  private timer: Timer | undefined;
  private failures = 0;
  private refusals = 0;
  private paused = false;
  private pendingCheckpoint: LogPosition | undefined;
  private stopped = false;
  private readonly forgetReplaced: () => void;
  /** Whether the server has said that it is live, since the subscription was opened last. */
  isLive = false;

  constructor(
    private readonly holder: ClientHolder,
    private readonly randomness: Randomness,
    private readonly regex: string,
    public position: LogPosition | undefined,
    private readonly listener: SubscriptionListener,
  ) {
    this.forgetReplaced = holder.onReplaced(() => this.reopen());
    this.open();
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** It is known from elsewhere that nothing up to here is wanted. */
  advance(position: LogPosition): void {
    if (this.position === undefined || comparePositions(this.position, position) < 0) this.position = position;
  }

  /** Drops what is open and opens anew, behind what has come. What waits to be opened is not put off: whoever asks often would keep it from that. */
  reopen(): void {
    if (this.stopped || this.subscription === undefined) return;
    this.abandon();
    this.failures++;
    this.timer = this.holder.clock.after(this.backoff(), () => this.open());
  }

  setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    if (paused) this.subscription?.pause();
    else this.subscription?.resume();
  }

  stop(): void {
    this.stopped = true;
    this.forgetReplaced();
    this.abandon();
  }

  private open(): void {
    const { client, clock } = this.holder;
    const subscription = client.subscribeToAll({
      fromPosition: this.position ?? START,
      filter: eventTypeFilter({
        regex: this.regex,
        maxSearchWindow: SEARCH_WINDOW,
        checkpointInterval: 1,
        checkpointReached: (from, position) => {
          if (from === this.subscription) this.checkpoint(position);
        },
      }),
    });
    this.subscription = subscription;
    this.isLive = false;
    const ended = (error: unknown): void => {
      if (subscription === this.subscription) this.dropped(error);
    };
    subscription.on('data', (resolved: ResolvedEvent) => {
      if (subscription === this.subscription) this.received(resolved);
    });
    subscription.on('confirmation', () => {
      if (subscription !== this.subscription) return;
      this.timer?.cancel();
      this.refusals = 0;
      this.holder.heard();
    });
    subscription.on('caughtUp', () => {
      if (subscription !== this.subscription) return;
      this.progressed();
      this.isLive = true;
      this.listener.live();
    });
    subscription.on('error', ended);
    subscription.on('end', () => ended(new Error('the server has ended the subscription')));
    if (this.paused) subscription.pause();
    this.timer = clock.after(CALL_DEADLINE_MS, () => {
      this.holder.suspect(client);
      if (subscription === this.subscription) this.reopen();
    });
  }

  private received({ event }: ResolvedEvent): void {
    if (event?.position === undefined) return;
    // After a resubscription, or beside what was advanced over, an event may come that is behind.
    if (this.position !== undefined && comparePositions(event.position, this.position) <= 0) return;
    this.progressed();
    this.position = event.position;
    this.listener.event(event as LogRecord);
    if (this.pendingCheckpoint !== undefined) this.checkpoint(this.pendingCheckpoint);
  }

  /** The client tells checkpoints at once, but keeps events that nobody has taken yet: those stand before it. */
  private checkpoint(position: LogPosition): void {
    this.progressed();
    const isNext = this.subscription?.readableLength === 0;
    this.pendingCheckpoint = isNext ? undefined : position;
    if (!isNext) return;
    this.advance(position);
    this.listener.checkpoint();
  }

  private progressed(): void {
    this.failures = 0;
    this.holder.heard();
  }

  private dropped(error: unknown): void {
    const code = codeOf(error);
    if (code === GRPC.unknown || code === GRPC.invalidArgument) this.refusals++;
    if (isAccessDenied(error) || this.refusals >= REFUSALS_MAX) {
      const from = this.position === undefined ? 'the start' : positionText(this.position);
      this.stop();
      return this.listener.failed(
        unavailable(`the events of EventStoreDB at ${this.holder.address} from ${from} on cannot be followed`, error),
      );
    }
    this.reopen();
  }

  private abandon(): void {
    this.timer?.cancel();
    this.isLive = false;
    this.pendingCheckpoint = undefined;
    const old = this.subscription;
    this.subscription = undefined;
    if (old === undefined) return;
    old.resume(); // One that is paused would not end.
    void old.unsubscribe().catch(() => undefined);
  }

  private backoff(): number {
    const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.failures - 1, 20));
    return full * (0.5 + this.randomness.fraction() / 2);
  }
}
