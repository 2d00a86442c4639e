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
  type StreamInfo,
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
  /** Its messages may say when they are dropped unread (`OutgoingMessage.expiresMs`). */
  readonly messageTtl?: true;
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

/** Of a `prioritized` consumer. All its pulls are in one group and differ in rank alone. */
export const PRIORITY_GROUP = 'ranked';

/**
 * No limit of bytes or messages: what is too much is the disk's to say, and the sweeps ring again. Where an operator sets one all the
 * same, a full work queue refuses the new, whose publisher hears of it, and drops nothing that it has taken.
 */
function streamConfig({ name, subjects, retention, maxAgeMs, dedupeWindowMs = DEDUPE_DEFAULT_MS, messageTtl }: BusStreamSpec) {
  return {
    name,
    subjects: [...subjects],
    retention: retention === 'limits' ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: retention === 'limits' ? DiscardPolicy.Old : DiscardPolicy.New,
    max_age: nanos(maxAgeMs ?? 0),
    duplicate_window: nanos(dedupeWindowMs),
    ...(messageTtl === true ? { allow_msg_ttl: true } : {}), // Once on it cannot be put off, and it does no harm to who does not use it.
  } satisfies Partial<StreamConfig>;
}

function consumerConfig({ durable, filters, ackWaitMs, inFlightMax, prioritized }: ConsumerSpec) {
  return {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    filter_subjects: [...filters],
    max_ack_pending: inFlightMax,
    max_deliver: -1, // Our own count of bugs decides: the server's would drop a message without a word.
    ...(prioritized === true ? { priority_groups: [PRIORITY_GROUP], priority_policy: 'prioritized' } : {}),
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
      return diffOf('consumer', spec.durable, asFound(consumerConfig(spec)), info && asFound(info.config));
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
    const change = difference.field === undefined ? added(manager, config) : manager.streams.update(spec.name, config);
    mustBe('stream', spec.name, config, (await accepted(spec.name, change)).config);
  }
  for (const spec of consumers) {
    const difference = of('consumer', spec.durable);
    if (difference === undefined) continue;
    const config = consumerConfig(spec);
    const { busStream, durable } = spec;
    const add = difference.field === undefined;
    const change = add ? manager.consumers.add(busStream, config) : manager.consumers.update(busStream, durable, config);
    mustBe('consumer', durable, asFound(config), asFound((await accepted(durable, change)).config));
  }
  return differences;
}

/**
 * Of a deletion of the last stream the server removes the account's folder after it has answered, and where that falls between the steps
 * of making another one's folder, the creation fails (1 in 1,200 on 2.15.1). The second try finds the folder gone and makes it.
 */
async function added(manager: JetStreamManager, config: ReturnType<typeof streamConfig>): Promise<StreamInfo> {
  const add = (): Promise<StreamInfo> => manager.streams.add(config);
  return add().catch((cause: unknown) => {
    if (cause instanceof JetStreamApiError && cause.code === STREAM_STORE_FAILED) return add();
    throw cause;
  });
}

/** "error creating store for stream", which the client's own table of codes does not have. */
const STREAM_STORE_FAILED = 10049;

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

async function accepted<T>(name: string, change: Promise<T>): Promise<T> {
  return change.catch((cause: unknown) => {
    throw new BusFault(
      'bus_unavailable',
      `${name} cannot be as the contract says: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  });
}

/** A server drops without a word what it does not know, so what it made is compared with what was asked (`facts.md` T-5). */
function mustBe(kind: Difference['kind'], name: string, wanted: object, found: object): void {
  const [first] = diffOf(kind, name, wanted, found);
  if (first === undefined) return;
  throw new BusFault('bus_unavailable', `${name} cannot be as the contract says: the server leaves ${first.field} as it was`);
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

/** One filter may come back in a field of its own, and no policy is not said. */
const asFound = (config: Partial<ConsumerConfig>): Partial<ConsumerConfig> => ({
  ...config,
  filter_subjects: config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject]),
  priority_policy: config.priority_policy ?? 'none',
});
