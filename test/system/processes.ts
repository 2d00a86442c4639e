import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Spawned } from '@cairn/testkit';

export { Spawned } from '@cairn/testkit';

export const root = resolve(import.meta.dirname, '../..');
const cli = join(root, 'services/cli/bin/cairn.js');

/** `cairn dev` on a free port, not waited for: it may die before it listens. */
export const spawnServer = (data: string, env: NodeJS.ProcessEnv = {}, port = 0): Spawned =>
  Spawned.start(cli, ['dev', '--port', String(port), '--data', data, '--json'], { CAIRN_LOG_LEVEL: 'warn', ...env });

/** Where a server listens, as soon as it does. Rejects when it ends before. */
export async function urlOf(server: Spawned): Promise<string> {
  const { url } = JSON.parse(await server.firstLine) as { url: string };
  return url;
}

/** `cairn dev` on a free port; resolves when it listens. */
export async function startServer(
  data: string,
  env: NodeJS.ProcessEnv = {},
  port = 0,
): Promise<{ readonly process: Spawned; readonly url: string }> {
  const server = spawnServer(data, env, port);
  return { process: server, url: await urlOf(server) };
}

/** Calls the server's HTTP face with the token of its data folder. Rejects when nobody answers. */
export async function call<T>(
  data: string,
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(`${url}/v1/default/${path}`, {
    method,
    headers: { authorization: `Bearer ${readFileSync(join(data, 'token'), 'utf8').trim()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

/** One command line as a process of its own, on the server of a data folder. Its standard error is ours. */
export async function cairn(data: string, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const env = { ...process.env, CAIRN_DATA: data };
  const child = spawn(process.execPath, [cli, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out };
}
