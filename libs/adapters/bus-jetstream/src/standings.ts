import type { ConsumerSpec } from '@cairn/ports';
import type { NatsConnection } from '@nats-io/nats-core';
import { managerOf, present } from './topology.js';

/** Where a consumer stands now, by the server's own numbers. */
export interface ConsumerStanding {
  readonly spec: ConsumerSpec;
  /** Messages that nobody was given yet. */
  readonly pending: number;
  /** Given to somebody and not settled. */
  readonly open: number;
  /** Requests for messages that stand: none means that nobody serves this consumer. */
  readonly pulls: number;
  /** Its place lies beyond the end of its stream, so that it will be given nothing before the stream has grown up to it (F-45). */
  readonly beyondEnd: boolean;
}

/** Consumers that are not there are left out. Throws `BusFault('bus_unavailable')`. */
export async function standingsOf(connection: NatsConnection, specs: readonly ConsumerSpec[]): Promise<readonly ConsumerStanding[]> {
  const manager = await managerOf(connection);
  const ends = new Map<string, number>();
  for (const name of new Set(specs.map(({ busStream }) => busStream)))
    ends.set(name, (await present(manager.streams.info(name)))?.state.last_seq ?? 0);
  const standings = specs.map(async (spec) => {
    const info = await present(manager.consumers.info(spec.busStream, spec.durable));
    if (info === undefined) return [];
    const { num_pending: pending, num_ack_pending: open, num_waiting: pulls, ack_floor, delivered } = info;
    const place = Math.max(ack_floor.stream_seq, delivered.stream_seq);
    return [{ spec, pending, open, pulls, beyondEnd: place > (ends.get(spec.busStream) ?? 0) }];
  });
  return (await Promise.all(standings)).flat();
}

/** The server's clock, as an answer about a bus stream tells it, or `undefined` if there is no such stream. Throws `BusFault`. */
export async function serverTime(connection: NatsConnection, stream: string): Promise<string | undefined> {
  return (await present((await managerOf(connection)).streams.info(stream)))?.ts;
}
