import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { metricDeclarations } from '@cairn/contracts';
import {
  ConfigInvalid,
  createHttpApplication,
  createLog,
  drainOnSignals,
  exitCodeOf,
  openDataFolder,
  openPorts,
  PortsModule,
  readEnv,
  readOrMakeToken,
  removeServerFile,
  secretOf,
  writeServerFile,
} from '@cairn/nest-kit';
import { gatewayEnv, readTokenHolders, type GatewayProcessConfig } from './config.js';
import type { Gateway } from './assemble.js';
import { GATEWAY } from './doors/gateway-token.js';
import { ProblemFilter } from './doors/problem.filter.js';
import { createRemoteDesk } from './desk/remote-desk.js';
import { GatewayModule } from './gateway.module.js';
import { withKnownLabels } from './lifecycle-metrics/known-labels.js';

const SERVICE = 'gateway';
const TOKEN_CHARS_MIN = 64;
/** In the data folder: who may come beside the holder of its token. */
const TOKENS = 'tokens.json';

async function main(): Promise<void> {
  const config = readEnv(gatewayEnv, process.env);
  const log = createLog({ service: SERVICE, level: config.CAIRN_LOG_LEVEL });
  const folder = await openDataFolder(resolve(config.CAIRN_DATA));
  const token = await tokenOf(config, folder.token);
  const holders = readTokenHolders(config.CAIRN_TOKENS_FILE, join(resolve(config.CAIRN_DATA), TOKENS));
  const metrics = withKnownLabels(metricDeclarations, config.CAIRN_NS);
  const open = await openPorts({ service: SERVICE, config, log, metrics, consumers: [] });
  const { ports, health, exposition, onBug } = open;
  const desk = createRemoteDesk({ line: ports.line, bus: ports.bus, clock: ports.clock, randomness: ports.randomness });
  const app = await createHttpApplication(
    GatewayModule.on(PortsModule.of(ports), {
      config: { namespaces: config.CAIRN_NS, token, holders, hosts: config.CAIRN_HOSTS, origins: config.CAIRN_ORIGINS },
      desk,
      health,
      exposition,
      onBug,
    }),
    { log, edge: GATEWAY, filter: (edge) => new ProblemFilter(edge as Gateway) },
  );
  await app.listen(config.CAIRN_PORT, config.CAIRN_HOST);
  const url = urlOf(app.getHttpServer().address() as AddressInfo);
  const nats = config.CAIRN_NATS_URL[0];
  await writeServerFile(folder.server, {
    url,
    pid: process.pid,
    ns: config.CAIRN_NS[0] ?? 'default',
    ...(nats === undefined ? {} : { nats }),
    ...(config.CAIRN_EVENT_STORE?.kind === 'esdb' ? { eventStore: config.CAIRN_EVENT_STORE.shown } : {}),
  });
  log.info('started', { url });
  process.stdout.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ ready: true, service: SERVICE, pid: process.pid, url, metrics: url, data: resolve(config.CAIRN_DATA) })}\n`
      : `cairn ${SERVICE} is ready at ${url}\n`,
  );
  drainOnSignals(process, log, async () => {
    health.drain();
    await removeServerFile(folder.server);
    await app.close();
    desk.stop();
    await open.close();
  });
}

async function tokenOf({ CAIRN_TOKEN: token, CAIRN_TOKEN_FILE: file }: GatewayProcessConfig, inFolder: string): Promise<string> {
  if (token !== undefined) return token;
  if (file === undefined) return readOrMakeToken(inFolder);
  const secret = secretOf('CAIRN_TOKEN_FILE', file);
  if (secret.length < TOKEN_CHARS_MIN) throw new ConfigInvalid(`CAIRN_TOKEN_FILE: must hold at least ${TOKEN_CHARS_MIN} characters`);
  return secret;
}

const urlOf = ({ address, family, port }: AddressInfo): string => `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;

main().catch((error: unknown) => {
  process.stderr.write(`cairn ${SERVICE}: ${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exit(exitCodeOf(error));
});
