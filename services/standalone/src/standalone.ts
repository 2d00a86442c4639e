import { join, resolve } from 'node:path';
import { Folds } from '@cairn/application';
import { createFileArtifacts } from '@cairn/artifacts-files';
import { createMemoryBus } from '@cairn/bus-memory';
import { busStreams, metricDeclarations, metricNames } from '@cairn/contracts';
import { FolderLocked, lockFolder, openLibsqlEventStore } from '@cairn/event-store-libsql';
import { readTokenHolders, withKnownLabels } from '@cairn/gateway';
import { createPromMetrics } from '@cairn/metrics-prom';
import {
  buildInfo,
  ConfigInvalid,
  createLog,
  DRAIN_MS_MAX,
  Health,
  measuredBus,
  measuredStore,
  openCallbackTokens,
  openDataFolder,
  readOrMakeToken,
  removeServerFile,
  writeServerFile,
  type Log,
  type Ports,
} from '@cairn/nest-kit';
import type { CallbackTokens, EventStore } from '@cairn/ports';
import { systemClock, systemIds, systemRandomness } from '@cairn/system';
import { readConfig, type StandaloneOptions } from './config.js';
import { openApplication } from './standalone.module.js';

/** A running server. */
export interface Standalone {
  /** `http://127.0.0.1:4300` */
  readonly url: string;
  readonly token: string;
  /** Absolute path of the data folder. */
  readonly data: string;
  /**
   * Drains: what is under way becomes durable, everything closes, the folder is free; after 25 s it resolves unfinished, and the process
   * may end. A second call joins the first.
   */
  stop(): Promise<void>;
}

/** Another server has the data folder: two memory buses would not know of each other. */
export class DataLocked extends Error {
  readonly code = 'data_locked';
  override readonly name = 'DataLocked';
}

const SERVICE = 'standalone';
/** In the data folder: who may come beside the holder of its token. */
const TOKENS = 'tokens.json';

/**
 * Starts every service in this process on a memory bus and one libSQL file. Resolves when it listens. SIGKILL at any time loses nothing
 * that was acknowledged. Throws `ConfigInvalid`, `DataLocked`, node's `EADDRINUSE`, or faults of the store.
 */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const config = readConfig(options);
  refuseOtherStore(process.env);
  const data = resolve(config.data);
  const log = createLog({ service: SERVICE, level: config.logLevel });
  const closing: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const folder = await openDataFolder(data);
    closing.push(lock(folder.lock));
    const token = await readOrMakeToken(folder.token);
    const holders = readTokenHolders(process.env['CAIRN_TOKENS_FILE'], join(data, TOKENS));
    const callbackTokens = await openCallbackTokens(process.env['CAIRN_CALLBACK_KEYS_FILE'], data);
    const { ports, health, exposition, onBug } = await openPorts(folder, config.namespaces, callbackTokens, log, closing);
    const application = await openApplication({
      ports,
      health,
      exposition,
      onBug,
      log,
      config: { namespaces: config.namespaces, token, holders, hosts: [], origins: config.origins },
    });
    closing.push(() => application.close());
    const url = await application.listen(config.port, config.host);
    await writeServerFile(folder.server, { url, pid: process.pid, ns: config.namespaces[0] ?? 'default' });
    closing.push(() => removeServerFile(folder.server));
    closing.push(() => health.drain());
    log.info('started', { url, folder: data });
    let stopped: Promise<void> | undefined;
    return { url, token, data, stop: () => (stopped ??= withinDrainTime(closeAll())) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Its memory bus and its store belong together: whoever names another store expects what this process is not. */
function refuseOtherStore({ CAIRN_EVENT_STORE: named = '' }: NodeJS.ProcessEnv): void {
  if (!named.startsWith('esdb')) return;
  throw new ConfigInvalid('CAIRN_EVENT_STORE: this process keeps its events in the data folder; with an EventStoreDB run `npm run stack`');
}

/** Resolves with the drain, or when it has taken too long: what is not finished is in the history and is taken up by the next start. */
function withinDrainTime(drained: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = systemClock.after(DRAIN_MS_MAX, resolve);
    drained.then(resolve, reject).finally(() => cut.cancel());
  });
}

function lock(path: string): () => void {
  try {
    const held = lockFolder(path);
    return () => held.release();
  } catch (error) {
    if (error instanceof FolderLocked) throw new DataLocked(error.message, { cause: error });
    throw error;
  }
}

interface OpenPorts {
  readonly ports: Ports;
  readonly health: Health;
  readonly exposition: { readonly contentType: string; render(): Promise<string> };
  readonly onBug: (error: unknown) => void;
}

async function openPorts(
  folder: { readonly events: string; readonly artifacts: string },
  namespaces: readonly string[],
  callbackTokens: CallbackTokens,
  log: Log,
  closing: (() => void | Promise<void>)[],
): Promise<OpenPorts> {
  const metrics = createPromMetrics(withKnownLabels(metricDeclarations, namespaces));
  const onBug = (error: unknown): void => {
    metrics.count(metricNames.bugs, { service: SERVICE });
    log.error('bug', {}, error);
  };
  const opened = await openLibsqlEventStore({ file: folder.events, clock: systemClock });
  const store = await crashable(measuredStore(opened, SERVICE, systemClock, metrics));
  closing.push(() => store.close());
  const artifacts = await createFileArtifacts(folder.artifacts);
  const bus = createMemoryBus({
    clock: systemClock,
    streams: busStreams,
    onBug,
    onDead: (letter) => log.warn('dead letter', { durable: letter.durable, reason: letter.reason }),
  });
  const { version, commit } = buildInfo();
  metrics.gauge(metricNames.buildInfo, 1, { version, commit });
  metrics.gauge(metricNames.busInfo, 1, { server: 'memory', schedules: 'off' });
  closing.push(() => bus.close());
  const health = new Health();
  closing.push(() => health.close());
  health.add('store', async () => void (await store.newest()));
  const render = (): Promise<string> => {
    metrics.gauge(metricNames.eventLoopLag, health.loopLagSeconds(), { service: SERVICE });
    return metrics.render();
  };
  return {
    ports: {
      folds: new Folds(),
      store,
      bus: measuredBus(bus, metrics),
      artifacts,
      disposables: artifacts, // One folder for both.
      callbackTokens,
      clock: systemClock,
      ids: systemIds,
      randomness: systemRandomness,
      metrics,
    },
    health,
    exposition: { contentType: metrics.contentType, render },
    onBug,
  };
}

/** Where a test asks for a crash the store knows of it. What is shipped holds none of that: it is read from beside it, then. */
async function crashable(store: EventStore): Promise<EventStore> {
  if (process.env['NODE_ENV'] !== 'test' || process.env['CAIRN_CRASH_AT'] === undefined) return store;
  const { withCrashPoint } = await import('@cairn/standalone/crash-points');
  return withCrashPoint(store, process.env);
}
