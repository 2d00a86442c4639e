import type { ConsumerSpec } from '@cairn/ports';
import { BusFault } from '@cairn/ports';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/nats-core';

/** A bus stream as data: what `contracts` declares. */
export interface BusStreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'work_queue';
  /** Messages older than this are dropped; without it they are kept until they are settled, or for ever. */
  readonly maxAgeMs?: number;
  /** How long the server remembers message ids; its own default without it. */
  readonly dedupeWindowMs?: number;
}

/** One field that is not as the contract says; the whole thing is missing where `field` is not given. */
export interface Difference {
  readonly kind: 'stream' | 'consumer';
  readonly name: string;
  readonly field?: string;
  readonly wanted?: unknown;
  readonly found?: unknown;
}

const DEDUPE_DEFAULT_MS = 120_000;

function streamConfig({ name, subjects, retention, maxAgeMs, dedupeWindowMs = DEDUPE_DEFAULT_MS }: BusStreamSpec) {
  return {
    name,
    subjects: [...subjects],
    retention: retention === 'limits' ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(maxAgeMs ?? 0),
    duplicate_window: nanos(dedupeWindowMs),
  } satisfies Partial<StreamConfig>;
}

function consumerConfig({ durable, filters, ackWaitMs, inFlightMax }: ConsumerSpec) {
  return {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    filter_subjects: [...filters],
    max_ack_pending: inFlightMax,
    max_deliver: -1, // Our own count of bugs decides: the server's would drop a message without a word.
  } satisfies Partial<ConsumerConfig>;
}

/** What stands on the server otherwise than the contract says; empty if nothing does. What else is there is not looked at. */
export async function diffTopology(
  connection: NatsConnection,
  streams: readonly BusStreamSpec[],
  consumers: readonly ConsumerSpec[],
): Promise<readonly Difference[]> {
  const manager = await managerOf(connection);
  const found = [
    ...streams.map(async (spec) =>
      diffOf('stream', spec.name, streamConfig(spec), (await present(manager.streams.info(spec.name)))?.config),
    ),
    ...consumers.map(async (spec) => {
      const info = await present(manager.consumers.info(spec.busStream, spec.durable));
      return diffOf('consumer', spec.durable, consumerConfig(spec), info && withFilters(info.config));
    }),
  ];
  return (await Promise.all(found)).flat();
}

/**
 * Creates what is missing and changes what differs, and answers what differed. Running it again changes nothing. Throws `BusFault`
 * where the server refuses a change: what a stream's retention is, say, is settled when it is created.
 */
export async function applyTopology(
  connection: NatsConnection,
  streams: readonly BusStreamSpec[],
  consumers: readonly ConsumerSpec[],
): Promise<readonly Difference[]> {
  const manager = await managerOf(connection);
  const differences = await diffTopology(connection, streams, consumers);
  const of = (kind: Difference['kind'], name: string): Difference | undefined =>
    differences.find((each) => each.kind === kind && each.name === name);
  for (const spec of streams) {
    const difference = of('stream', spec.name);
    if (difference === undefined) continue;
    const config = streamConfig(spec);
    await accepted(spec.name, difference.field === undefined ? manager.streams.add(config) : manager.streams.update(spec.name, config));
  }
  for (const spec of consumers) {
    const difference = of('consumer', spec.durable);
    if (difference === undefined) continue;
    const config = consumerConfig(spec);
    const { busStream, durable } = spec;
    await accepted(
      durable,
      difference.field === undefined ? manager.consumers.add(busStream, config) : manager.consumers.update(busStream, durable, config),
    );
  }
  return differences;
}

/** Makes a consumer anew: it begins with what its stream holds. For one whose place lies beyond the end of its stream (F-45). */
export async function recreateConsumer(connection: NatsConnection, spec: ConsumerSpec): Promise<void> {
  const manager = await managerOf(connection);
  await present(manager.consumers.delete(spec.busStream, spec.durable));
  await accepted(spec.durable, manager.consumers.add(spec.busStream, consumerConfig(spec)));
}

/** The manager of streams and consumers, without its own check at the start: the server was looked at when we connected. */
export const managerOf = (connection: NatsConnection): Promise<JetStreamManager> => jetstreamManager(connection, { checkAPI: false });

/** The answer, or `undefined` if there is no such stream or consumer. Throws `BusFault('bus_unavailable')`. */
export async function present<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof JetStreamApiError && ABSENT.has(cause.code)) return undefined;
    throw new BusFault('bus_unavailable', 'the bus does not say what it holds', { cause });
  }
}

const ABSENT = new Set<number>([JetStreamApiCodes.ConsumerNotFound, JetStreamApiCodes.StreamNotFound]);

async function accepted(name: string, change: Promise<unknown>): Promise<void> {
  await change.catch((cause: unknown) => {
    throw new BusFault(
      'bus_unavailable',
      `${name} cannot be as the contract says: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  });
}

function diffOf(kind: Difference['kind'], name: string, wanted: object, found: object | undefined): Difference[] {
  if (found === undefined) return [{ kind, name }];
  const there = new Map(Object.entries(found));
  return Object.entries(wanted)
    .filter(([field, value]) => canonical(value) !== canonical(there.get(field)))
    .map(([field, value]) => ({ kind, name, field, wanted: value as unknown, found: there.get(field) as unknown }));
}

/** Order of subjects says nothing; a number that is absent is 0. */
const canonical = (value: unknown): string => JSON.stringify(Array.isArray(value) ? (value as unknown[]).map(String).sort() : (value ?? 0));

/** One filter may come back in a field of its own. */
const withFilters = (config: ConsumerConfig): ConsumerConfig => ({
  ...config,
  filter_subjects: config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject]),
});
