import type { Clock, ConsumerSpec, Timer } from '@cairn/ports';
import type { ConsumerInfo } from '@nats-io/jetstream';
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

/** What one look saw of a consumer; without `info` the server has none. */
interface Looked {
  readonly consumer: BoundConsumer;
  readonly info: ConsumerInfo | undefined;
  readonly idle: boolean;
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
    const looked: Looked[] = [];
    try {
      for (const consumer of this.bound) {
        const { busStream, durable } = consumer.spec;
        looked.push({ consumer, info: await present(manager.consumers.info(busStream, durable)), idle: consumer.isIdle });
      }
      // Ends of streams after the consumers: read before, a busy consumer would seem to be beyond.
      const ends = new Map<string, number | undefined>();
      for (const busStream of new Set(looked.map(({ consumer }) => consumer.spec.busStream))) {
        ends.set(busStream, (await present(manager.streams.info(busStream)))?.state.last_seq);
      }
      for (const each of looked) await this.judge(each, ends.get(each.consumer.spec.busStream));
    } catch {
      this.seen.clear(); // The bus does not answer, which is no consumer's fault.
    }
  }

  private async judge({ consumer, info, idle }: Looked, lastSequence: number | undefined): Promise<void> {
    if (lastSequence === undefined) return this.act('stream_gone', consumer);
    if (info === undefined) return this.act('consumer_gone', consumer);
    const standing = standingOf(info, lastSequence);
    const before = this.seen.get(consumer);
    this.seen.set(consumer, { standing, idle });
    const finding = judgeStanding(standing, before?.standing, idle && before?.idle === true);
    if (finding !== undefined) await this.act(finding, consumer);
  }

  private async act(finding: Finding, consumer: BoundConsumer): Promise<void> {
    this.host.onFinding(finding, consumer.spec);
    try {
      if (finding !== 'stands_still') await this.host.mend?.(finding, consumer.spec);
    } catch {
      this.seen.delete(consumer); // Tried again at the next look.
    }
    consumer.renew();
  }
}

const standingOf = ({ ack_floor, delivered, num_pending }: ConsumerInfo, lastSequence: number): Standing => ({
  floor: ack_floor.stream_seq,
  delivered: delivered.stream_seq,
  pending: num_pending,
  lastSequence,
});
