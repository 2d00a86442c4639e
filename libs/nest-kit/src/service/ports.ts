import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Folds, onCrashPoint } from '@cairn/application';
import { metricNames, type MetricDeclaration } from '@cairn/contracts';
import { FolderLocked, shareFolder } from '@cairn/event-store-libsql';
import { createPromMetrics } from '@cairn/metrics-prom';
import { StoreFault, type ConsumerSpec, type EventStore, type Line } from '@cairn/ports';
import { systemClock, systemIds, systemRandomness } from '@cairn/system';
import { eventStoreIn, openEventStore, shownStore } from '../event-store.js';
import type { CrashablePorts } from '../crash/with-crash-points.js';
import { Health } from '../health.js';
import type { Log } from '../logger.js';
import type { Ports } from '../ports.module.js';
import { serveRebuilds } from '../rebuilding/serve-rebuilds.js';
import { BusProbe } from './bus-probe.js';
import { openCallbackTokens } from './callback-keys.js';
import { ConfigInvalid, type ServiceConfig } from './config.js';
import { measuredBus, measuredStore } from './measured.js';
import { createJetStreamBus, createNatsLine, mustMatchContract, openNats } from './nats.js';
import { buildInfo } from './build-info.js';

export interface OpenPorts {
  readonly ports: Ports & { readonly line: Line };
  readonly health: Health;
  readonly exposition: { readonly contentType: string; render(): Promise<string> };
  readonly onBug: (error: unknown) => void;
  /** Adds to what is told just before each scrape. */
  readonly beforeScrape: (tell: () => void) => void;
  /** Closes everything in the order in which it must be closed. */
  close(): Promise<void>;
}

export interface PortsOptions {
  readonly service: string;
  readonly config: ServiceConfig;
  readonly log: Log;
  readonly metrics: readonly MetricDeclaration[];
  /** What this service will bind: refused here if the bus does not have it so. */
  readonly consumers: readonly ConsumerSpec[];
}

/** As long as a nats-server. */
const STORE_PATIENCE_MS = 30_000;
const STORE_PAUSE_MS = 500;
const MS_PER_S = 1_000;

/**
 * The ports of one service's process, from its configuration: the event store that is named or the one of the shared folder, JetStream,
 * a line.
 * Throws `ConfigInvalid`, `BusDiffers`, or faults; what was opened before is closed then.
 */
export async function openPorts(options: PortsOptions): Promise<OpenPorts> {
  const closing: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    return await open(options, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { service, config, log, metrics: declarations, consumers }: PortsOptions,
  closing: (() => void | Promise<void>)[],
  close: () => Promise<void>,
): Promise<OpenPorts> {
  const metrics = createPromMetrics(declarations);
  const onBug = (error: unknown): void => {
    metrics.count(metricNames.bugs, { service });
    log.error('bug', {}, error);
  };
  const data = resolve(config.CAIRN_DATA);
  await mkdir(data, { recursive: true }).catch((error: unknown) => {
    throw new ConfigInvalid(`CAIRN_DATA: ${data} cannot be made (${(error as { code?: string }).code ?? 'unknown'})`);
  });
  closing.push(share(join(data, 'lock.db')));
  const health = new Health();
  closing.push(() => health.close());
  const named = config.CAIRN_EVENT_STORE ?? eventStoreIn(data);
  const opened = await openEventStore(named, data, { clock: systemClock, randomness: systemRandomness });
  closing.push(() => opened.close());
  await answering(opened.store, shownStore(named), log);
  log.info('event store', { at: shownStore(named) });
  const store = measuredStore(opened.store, service, systemClock, metrics);
  health.add('store', async () => void (await store.newest()));
  const disposables = await opened.disposables();

  const connection = await openNats(config, `cairn-${service}`, { clock: systemClock, randomness: systemRandomness });
  closing.push(() => connection.close());
  await mustMatchContract(connection, consumers);
  const inboxPrefix = config.CAIRN_NATS_INBOX_PREFIX;
  const inbox = inboxPrefix === undefined ? {} : { inboxPrefix };
  const line = createNatsLine(connection, systemClock, inboxPrefix);
  const dead = new Map<string, number>();
  const jetStream = createJetStreamBus({
    connection,
    clock: systemClock,
    ...inbox,
    onBug: (bug, spec) => {
      metrics.count(metricNames.bugs, { service });
      log.error('bug', { durable: spec.durable }, bug);
    },
    onDead: ({ durable, busStream, reason }) => {
      dead.set(busStream, (dead.get(busStream) ?? 0) + 1);
      metrics.gauge(metricNames.deadLetters, dead.get(busStream) ?? 0, { stream: busStream });
      log.warn('dead letter', { durable, reason });
    },
    onFinding: (finding, spec) => log.warn('consumer stands still', { durable: spec.durable, finding }),
  });
  closing.push(
    () => jetStream.close(),
    () => line.close(),
  );
  const folds = new Folds();
  const rebuilds = serveRebuilds({ line, clock: systemClock, service, process: systemIds.next(), folds, onBug });
  closing.push(() => rebuilds.stop());
  const probe = new BusProbe(line, systemClock, metrics, service);
  closing.push(() => probe.stop());
  health.add('bus', () => (jetStream.isUp ? probe.says() : 'no connection'));
  const { version, commit } = buildInfo();
  metrics.gauge(metricNames.buildInfo, 1, { version, commit });
  metrics.gauge(metricNames.busInfo, 1, { server: connection.info?.version ?? 'unknown', schedules: 'off' });

  const tells: (() => void)[] = [];
  const render = (): Promise<string> => {
    metrics.gauge(metricNames.eventLoopLag, health.loopLagSeconds(), { service });
    for (const tell of tells) tell();
    return metrics.render();
  };
  return {
    ports: {
      ...(await crashable(service, { store, bus: measuredBus(jetStream, metrics), line })),
      artifacts: opened.artifacts,
      disposables,
      callbackTokens: await openCallbackTokens(config.CAIRN_CALLBACK_KEYS_FILE, data),
      clock: systemClock,
      ids: systemIds,
      randomness: systemRandomness,
      metrics,
      folds,
    },
    health,
    exposition: { contentType: metrics.contentType, render },
    onBug,
    beforeScrape: (tell) => void tells.push(tell),
    close,
  };
}

/** Where a test asks for a crash the ports tell of their hops. What is shipped holds none of that: it is read from beside it, then. */
async function crashable<P extends CrashablePorts>(service: string, ports: P): Promise<P> {
  if (process.env['NODE_ENV'] !== 'test' || process.env['CAIRN_CRASH_AT'] === undefined) return ports;
  const { withCrashPoints } = await import('@cairn/nest-kit/crash');
  return withCrashPoints(service, ports, process.env, onCrashPoint);
}

/** A store that comes up beside us is waited for. Throws `ConfigInvalid`, with address and reason, when it has not answered in time. */
async function answering(store: EventStore, shown: string, log: Log): Promise<void> {
  const until = systemClock.monotonicMs() + STORE_PATIENCE_MS;
  for (let first = true; ; first = false) {
    try {
      await store.newest();
      return;
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      if (first) log.warn('the event store does not answer yet', { at: shown, because: error.message });
      if (systemClock.monotonicMs() > until)
        throw new ConfigInvalid(
          `CAIRN_EVENT_STORE: ${shown} has not answered within ${STORE_PATIENCE_MS / MS_PER_S} s (${error.message}); mend it, or name another`,
          { cause: error },
        );
      await new Promise<void>((resolve) => systemClock.after(STORE_PAUSE_MS, resolve));
    }
  }
}

/** The embedded default keeps a folder for itself: its memory bus and ours would not know of each other. */
function share(lock: string): () => void {
  try {
    const held = shareFolder(lock);
    return () => held.release();
  } catch (error) {
    if (error instanceof FolderLocked) throw new ConfigInvalid(`CAIRN_DATA: ${error.message} (a \`cairn dev\`?)`, { cause: error });
    throw error;
  }
}
