import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const root = resolve(import.meta.dirname, '../..');
const cli = join(root, 'services/cli/bin/cairn.js');

/** A process of the product, started as a user starts it, and killed as the world kills it. */
export class Spawned {
  private readonly text: string[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  private constructor(
    readonly child: ChildProcess,
    readonly firstLine: Promise<string>,
  ) {
    this.exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
    child.stderr?.on('data', (bytes: Buffer) => this.text.push(bytes.toString()));
  }

  static start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Spawned {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = createInterface({ input: child.stdout });
    const firstLine = new Promise<string>((done, fail) => {
      lines.once('line', done);
      child.once('exit', (code, signal) => fail(new Error(`${script} ended before it said anything: ${code ?? signal}`)));
    });
    firstLine.catch(() => undefined);
    return new Spawned(child, firstLine);
  }

  get stderr(): string {
    return this.text.join('');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.exited;
  }
}

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
