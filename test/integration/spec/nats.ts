import { connectNats, type ConnectOptions } from '@cairn/bus-jetstream';
import type { ConsumerSpec } from '@cairn/ports';
import { wallClock } from '@cairn/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';

export type Connection = Awaited<ReturnType<typeof connectNats>>;

export const connect = (url: string, more: Partial<ConnectOptions> = {}): Promise<Connection> =>
  connectNats({ servers: url, name: 'spec', clock: wallClock, randomness: { fraction: () => 0.5 }, ...more });

/** Removes every stream, and with them all consumers and messages. */
export async function clear(connection: Connection): Promise<void> {
  const manager = await jetstreamManager(connection);
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
}

/** Takes and acknowledges so many messages of a consumer: their subjects. */
export async function fetchAll(connection: Connection, { busStream, durable }: ConsumerSpec, count: number): Promise<string[]> {
  const consumer = await jetstream(connection).consumers.get(busStream, durable);
  const subjects: string[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
    subjects.push(message.subject);
    await message.ackAck();
  }
  return subjects;
}
