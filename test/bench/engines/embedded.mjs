// One server process and one handler process, as in production of the embedded kind: real HTTP, everything fsynced.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ended, forkHandlers, profiling } from '../child.mjs';
import { CairnClient } from './cairn-client.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const cairn = file('../../../services/cli/bin/cairn.js');

export const embedded = {
  name: 'cairn',
  durability: 'libSQL file, WAL, synchronous=FULL: fsync before a step counts',

  async start(folder, { profile } = {}) {
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    let server = await startServer(data, 0, profile);
    const token = readFileSync(join(data, 'token'), 'utf8').trim();
    const env = { CAIRN_DATA: data, CAIRN_URL: '', CAIRN_TOKEN: '', CAIRN_NATS_URL: '' };
    const handlers = await forkHandlers(file('./cairn-handlers.mjs'), { env, profile });
    const client = (sockets) => new CairnClient({ url: server.url, token, sockets });
    return {
      data,
      handlers,
      pids: () => ({ server: [server.child.pid], handler: [handlers.pid] }),
      client,
      slowHandlers: (onStep) => forkHandlers(file('./cairn-slow-handlers.mjs'), { env, onStep }),
      killServer: () => ended(server.child, () => server.child.kill('SIGKILL')),
      startServer: async () => void (server = await startServer(data, new URL(server.url).port)),
      async stop() {
        await handlers.stop();
        await ended(server.child, () => server.child.kill('SIGTERM'));
      },
    };
  },
};

async function startServer(data, port, profile) {
  const child = spawn(process.execPath, [...profiling(profile), cairn, 'dev', '--port', port, '--data', data, '--json'].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line);
    child.stdout.resume();
    return { child, url };
  }
  throw new Error(`the server ended before it was ready (exit ${child.exitCode})`);
}
