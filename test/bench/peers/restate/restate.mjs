// Restate in its default set-up and in the best that we found for it on two cores: its server from npm, one service process on its SDK.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ended, forkHandlers } from '../../child.mjs';
import { Http } from '../../http.mjs';
import { again } from '../../wait-for.mjs';
import { RestateClient } from './restate-client.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const INSTALL_LIMIT_MS = 180_000;

/** Why Restate cannot be had here, or undefined: it is installed by its own lock when it is not there. */
export function unavailable() {
  if (program() !== undefined) return undefined;
  const installed = spawnSync('npm', ['ci', '--prefix', file('.')], { cwd: file('.'), encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  const why = installed.error?.message ?? installed.stderr.trim().split('\n')[0];
  if (installed.status !== 0) return `npm ci in test/bench/peers/restate failed: ${why}`;
  return program() === undefined ? `there is no Restate for ${process.platform} ${process.arch} on npm` : undefined;
}

function program() {
  const path = file(`./node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
  return existsSync(path) && existsSync(file('./node_modules/@restatedev/restate-sdk')) ? path : undefined;
}

/** Its own defaults: 24 partitions. */
export const restateDefault = engine('restate', {});

/** Four partitions; ten thousand invocations may be open at once; a lost handler is tried again as soon as ours. */
export const restateTuned = engine('restate tuned', {
  RESTATE_DEFAULT_NUM_PARTITIONS: '4',
  RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: '20000',
  RESTATE_DEFAULT_RETRY_POLICY__INITIAL_INTERVAL: '100ms',
  RESTATE_DEFAULT_RETRY_POLICY__EXPONENTIATION_FACTOR: '1.0',
});

function engine(name, settings) {
  return {
    name,
    durability: 'RocksDB log server, one copy, WAL with fsync before a step counts (its default)',
    peer: true,
    settings,

    async start(folder, { profile } = {}) {
      const data = join(folder, 'data');
      mkdirSync(data, { recursive: true });
      const [ingress, admin, node, handler] = await freePorts(4);
      const environment = { ...process.env, ...quiet, ...ports({ ingress, admin, node }), ...settings };
      const startServer = () =>
        spawn(program(), ['--no-logo', '--base-dir', data], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
      let server = startServer();
      const awakeables = new Map();
      let onStep;
      const fork = async (prof) => {
        const handlers = await forkHandlers(file('./restate-handlers.mjs'), {
          env: { BENCH_PORT: handler },
          profile: prof,
          onStep: () => onStep?.(),
        });
        handlers.child.on('message', ({ key, awakeable }) => void (key !== undefined && awakeables.set(key, awakeable)));
        return handlers;
      };
      let handlers = await fork(profile);
      const url = `http://127.0.0.1:${ingress}`;
      await register(`http://127.0.0.1:${admin}`, `http://127.0.0.1:${handler}`);
      await ready(url);
      return {
        data,
        handlers: { begin: () => handlers.begin(), report: () => handlers.report() },
        pids: () => ({ server: [server.pid], handler: [handlers.pid] }),
        client: (sockets) => new RestateClient({ url, sockets, awakeables }),
        /** One service process serves everything: it is the one that is killed. */
        async slowHandlers(heard) {
          onStep = heard;
          if (handlers.child.signalCode !== null) handlers = await fork();
          const chosen = handlers;
          return { kill: () => chosen.kill(), release: async () => void (onStep = undefined) };
        },
        killServer: () => ended(server, () => server.kill('SIGKILL')),
        async startServer() {
          server = startServer();
          await ready(url);
        },
        async stop() {
          await handlers.stop();
          await ended(server, () => server.kill('SIGTERM'));
        },
      };
    },
  };
}

/** Loopback only, nothing told to anybody, few words. */
const quiet = {
  DO_NOT_TRACK: '1',
  RESTATE_DISABLE_TELEMETRY: 'true',
  RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
  RESTATE_BIND_IP: '127.0.0.1',
  RESTATE_LISTEN_MODE: 'tcp',
  RESTATE_NODE_NAME: 'bench',
  RESTATE_LOG_FILTER: 'error,octocrab=off',
};

const ports = ({ ingress, admin, node }) => ({
  RESTATE_INGRESS__BIND_PORT: String(ingress),
  RESTATE_ADMIN__BIND_PORT: String(admin),
  RESTATE_BIND_PORT: String(node),
});

async function register(admin, service) {
  const http = new Http({ url: admin, sockets: 1 });
  await again(() => http.send('GET', '/health'));
  await again(() => http.send('POST', '/deployments', { uri: service }));
  http.close();
}

/** An invocation goes through. */
async function ready(url) {
  const http = new Http({ url, sockets: 1 });
  await again(() => http.send('POST', '/bench/chain', { key: 'ready' }));
  http.close();
}

/** Ports that nobody has now. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const found = await Promise.all(
    servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
