import type { Clock, ConsumerSpec, Timer } from '@cairn/ports';
import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';
import type { BoundConsumer } from './consume.js';
import type { Link } from './link.js';
import { managerOf, present } from './topology.js';

/** Between two looks at every consumer. What is wrong is seen at the second look at the latest, well within F-45's 30 s. */
export const WATCH_MS = 5_000;

/** What is wrong with a consumer that should be delivering (F-45). */
export type Finding = 'stream_gone' | 'consumer_gone' | 'floor_beyond_end' | 'stands_still';

export interface WatchdogHost {
  readonly link: Link;
  readonly clock: Clock;
  readonly onFinding: (finding: Finding, spec: ConsumerSpec) => void;
  /** Puts it right, where this process may: services bind and never create, so most have none. */
  readonly mend?: (finding: Finding, spec: ConsumerSpec) => Promise<void>;
}

/** Where a consumer stood at a look. */
export interface Standing {
  readonly floor: number;
  readonly delivered: number;
  readonly pending: number;
  readonly lastSequence: number;
}

/** What two looks, one after the other, say of a consumer that has nothing under way. */
export function judgeStanding(now: Standing, before: Standing | undefined, idle: boolean): Finding | undefined {
  if (now.floor > now.lastSequence) return 'floor_beyond_end';
  if (idle && now.pending > 0 && before !== undefined && before.pending > 0 && before.delivered === now.delivered) return 'stands_still';
  return undefined;
}

/** Looks at each bound consumer, for as long as the bus is open: a consumer that gets nothing cannot see why. */
export class Watchdog {
  private readonly seen = new Map<BoundConsumer, { readonly standing: Standing; readonly idle: boolean }>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(
    private readonly host: WatchdogHost,
    private readonly bound: ReadonlySet<BoundConsumer>,
  ) {
    this.later();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private later(): void {
    if (this.stopped) return;
    this.timer = this.host.clock.after(WATCH_MS, () => void this.look().finally(() => this.later()));
  }

  private async look(): Promise<void> {
    for (const consumer of this.seen.keys()) if (!this.bound.has(consumer)) this.seen.delete(consumer);
    if (!this.host.link.isUp) return this.seen.clear();
    const manager = await managerOf(this.host.link.connection);
    for (const consumer of this.bound) {
      try {
        const finding = await this.findingOf(manager, consumer);
        if (finding !== undefined) await this.act(finding, consumer);
      } catch {
        this.seen.delete(consumer); // The bus does not answer, which is not the consumer's fault; or mending failed, and is tried again.
      }
    }
  }

  private async findingOf(manager: JetStreamManager, consumer: BoundConsumer): Promise<Finding | undefined> {
    const { busStream, durable } = consumer.spec;
    const stream = await present(manager.streams.info(busStream));
    if (stream === undefined) return 'stream_gone';
    const info = await present(manager.consumers.info(busStream, durable));
    if (info === undefined) return 'consumer_gone';
    const standing = standingOf(info, stream.state.last_seq);
    const before = this.seen.get(consumer);
    this.seen.set(consumer, { standing, idle: consumer.isIdle });
    return judgeStanding(standing, before?.standing, consumer.isIdle && before?.idle === true);
  }

  private async act(finding: Finding, consumer: BoundConsumer): Promise<void> {
    this.host.onFinding(finding, consumer.spec);
    if (finding !== 'stands_still') await this.host.mend?.(finding, consumer.spec);
    consumer.renew();
  }
}

const standingOf = ({ ack_floor, delivered, num_pending }: ConsumerInfo, lastSequence: number): Standing => ({
  floor: ack_floor.stream_seq,
  delivered: delivered.stream_seq,
  pending: num_pending,
  lastSequence,
});
