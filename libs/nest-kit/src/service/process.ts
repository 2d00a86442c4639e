import { NestFactory } from '@nestjs/core';
import type { DynamicModule, INestMicroservice } from '@nestjs/common';
import type { MetricDeclaration } from '@cairn/contracts';
import type { ConsumerSpec } from '@cairn/ports';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { drainOnSignals } from '../drain.js';
import { BusStrategy, type Binding } from '../bus-strategy.js';
import { createLog, NestLog } from '../logger.js';
import { EXIT_CONFIG, type ServiceConfig } from './config.js';
import { serveMachinery } from './machinery.js';
import { openPorts, type OpenPorts } from './ports.js';

const EXIT_FAILED = 1;

/** A service as a process of its own: what differs from its siblings. */
export interface ServiceProcess<C extends ServiceConfig> {
  readonly name: string;
  /** Throws `ConfigInvalid`. */
  readonly readConfig: (env: NodeJS.ProcessEnv) => C;
  readonly metrics: readonly MetricDeclaration[];
  /** What it binds. */
  readonly consumers: readonly ConsumerSpec[];
  readonly module: (open: OpenPorts, config: C) => DynamicModule;
  /** Asked when the module stands: how its doors and the consumers belong together. */
  readonly bindings: (app: INestMicroservice) => readonly Binding[];
  /** The first thing of a drain: others may take over from here while what is under way ends. */
  readonly leave?: (app: INestMicroservice) => void;
  /** What it tells just before each scrape. */
  readonly tell?: (app: INestMicroservice, open: OpenPorts) => void;
}

/**
 * Starts it, says on stdout that it is ready (`--json`: `{"ready":true,"service":…,"metrics":…}`), and drains on SIGTERM: its doors
 * close, what is under way becomes durable, within 25 s. Exit 78 where somebody must change something first.
 */
export function runService<C extends ServiceConfig>(service: ServiceProcess<C>, argv = process.argv, env = process.env): void {
  start(service, argv.includes('--json'), env).catch((error: unknown) => {
    process.stderr.write(`cairn ${service.name}: ${error instanceof Error ? error.message : 'unknown error'}\n`);
    process.exit(exitCodeOf(error));
  });
}

async function start<C extends ServiceConfig>(service: ServiceProcess<C>, json: boolean, env: NodeJS.ProcessEnv): Promise<void> {
  const { name } = service;
  const config = service.readConfig(env);
  const log = createLog({ service: name, level: config.CAIRN_LOG_LEVEL });
  const open = await openPorts({ service: name, config, log, metrics: service.metrics, consumers: service.consumers });
  const held: { app?: INestMicroservice } = {};
  const strategy = new BusStrategy(open.ports.bus, () => (held.app === undefined ? [] : service.bindings(held.app)));
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(service.module(open, config), {
    strategy,
    logger: new NestLog(log),
    abortOnError: false,
  });
  held.app = app;
  await app.listen();
  open.beforeScrape(() => service.tell?.(app, open));
  const machinery = await serveMachinery({
    health: open.health,
    ...open.exposition,
    host: config.CAIRN_METRICS_HOST,
    port: config.CAIRN_METRICS_PORT,
  });
  log.info('started', { metrics: machinery.url });
  process.stdout.write(
    json
      ? `${JSON.stringify({ ready: true, service: name, pid: process.pid, metrics: machinery.url })}\n`
      : `cairn ${name} is ready (metrics ${machinery.url}/metrics)\n`,
  );
  drainOnSignals(process, log, async () => {
    open.health.drain();
    service.leave?.(app);
    await app.close();
    await machinery.close();
    await open.close();
  });
}

/** What a start ends with: `78` if it cannot work before somebody changes something. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === 'config_invalid' || code === 'bus_differs' || code === 'EADDRINUSE' || code === 'data_locked' ? EXIT_CONFIG : EXIT_FAILED;
}
