import type { ConsumerSpec } from '@cairn/ports';
import { contractStreams, wallClock } from '@cairn/testkit';
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats } from '../connect.js';
import { createJetStreamBus, type JetStreamBus, type JetStreamBusOptions } from '../jetstream-bus.js';
import { managerOf, type BusStreamSpec } from '../topology.js';

/** What the specs of this adapter find on the server. */
export const streams: readonly BusStreamSpec[] = [
  ...contractStreams,
  { name: 'CAIRN_DEAD', subjects: ['cairn.*.dead.>'], retention: 'limits' },
];

/** Pauses between attempts need no chance in a spec. */
const randomness = { fraction: () => 0.5 };

export const connectTo = (url: string, name: string): Promise<NatsConnection> =>
  connectNats({ servers: url, name, clock: wallClock, randomness });

/** A bus on a connection of its own, as a process has one. */
export async function busOn(
  url: string,
  options: Partial<JetStreamBusOptions> = {},
): Promise<JetStreamBus & { readonly connection: NatsConnection }> {
  const connection = await connectTo(url, 'spec');
  const bus = createJetStreamBus({ connection, clock: wallClock, ...options });
  return Object.assign(bus, { connection });
}

/** Removes every stream, and with them all consumers and messages. */
export async function clear(connection: NatsConnection): Promise<void> {
  const manager = await managerOf(connection);
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
}

export const workSpec = (durable: string, more: Partial<ConsumerSpec> = {}): ConsumerSpec => ({
  durable,
  busStream: 'CONTRACT_WORK',
  filters: ['contract.work.*'],
  ackWaitMs: 2_000,
  bugsMax: 3,
  inFlightMax: 64,
  ...more,
});
