// A nats-server for the stack: found or fetched, with a folder of its own, JetStream on, synced once a second.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StackRefused } from './folder.mjs';
import { StackProcess } from './process.mjs';

const FINDER = resolve(import.meta.dirname, '../nats-server.mjs');
/** What `npm run stack` offers to stock clients, if it is free. */
export const NATS_PORT = 4222;

/** It writes what it has and goes; longer than any that we saw. */
const LEFT_OVER_MS_MAX = 10_000;
const LEFT_OVER_PAUSE_MS = 50;

/** Path of a nats-server; throws with the remedy. */
export function findNatsServer(env = process.env) {
  try {
    return execFileSync(process.execPath, [FINDER], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    throw new Error(String(error.stderr ?? error.message).trim(), { cause: error });
  }
}

export class StackNats {
  #port;
  process;

  constructor({ path, folder, port = -1, onLine }) {
    this.path = path;
    this.folder = folder;
    this.onLine = onLine;
    this.#port = port;
  }

  get url() {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get pid() {
    return this.process?.pid;
  }

  /** The folder of all that the bus holds. */
  get store() {
    return join(this.folder, 'store');
  }

  /** Starts it, or starts it again on the same port and folder. Throws `StackRefused` where the port or the folder is not to be had. */
  async start() {
    mkdirSync(this.store, { recursive: true });
    const config = join(realpathSync(this.folder), 'nats.conf'); // One name of it, by whatever link the folder is given.
    await this.#endLeftOver(config);
    // `sync_interval`: what a power cut may cost the bus. What is accepted is in the history (P-1, P-2).
    writeFileSync(
      config,
      [
        `listen: "127.0.0.1:${this.#port}"`,
        `http: "127.0.0.1:-1"`,
        `pid_file: ${JSON.stringify(this.#pidFile)}`,
        `jetstream { store_dir: ${JSON.stringify(this.store)}, sync_interval: "1s" }`,
        '',
      ].join('\n'),
    );
    this.process = new StackProcess('nats-server', this.path, ['--config', config], { onLine: this.onLine });
    try {
      await this.#ready();
    } catch (error) {
      if (error.exit === undefined) throw error;
      await this.process.closed;
      const why = this.process.lines.map((line) => /\bbind: ([^"]+)/.exec(line)?.[1]).find((found) => found !== undefined);
      if (why === undefined) throw error;
      throw new StackRefused(`nats-server cannot have port ${this.#port} (${why}); give --nats-port another`);
    }
    return this;
  }

  async #ready() {
    const portOf = (pattern) => (line) => pattern.exec(line)?.[1];
    this.monitor = `http://127.0.0.1:${await this.process.said(portOf(/http monitor on 127\.0\.0\.1:(\d+)/))}`;
    this.#port = Number(await this.process.said(portOf(/Listening for client connections on 127\.0\.0\.1:(\d+)/)));
    await this.process.said((line) => (line.includes('Server is ready') ? true : undefined));
  }

  get #pidFile() {
    return join(this.folder, 'nats.pid');
  }

  /**
   * A nats-server that outlived its stack's `kill -9` still writes to this store. Whoever starts here has the folder alone, so it is
   * nobody's any more. The configuration on its command line is that of this folder: a process that has only its number is left alone.
   */
  async #endLeftOver(config) {
    const pid = existsSync(this.#pidFile) ? Number(readFileSync(this.#pidFile, 'utf8')) : 0;
    if (!(pid > 0) || !this.#isLeftOver(pid, config)) return;
    this.onLine?.('stack', `a nats-server of an earlier stack, process ${pid}, is ended`, 'stderr');
    const stillThere = new StackRefused(`nats-server, process ${pid}, still has ${this.store}; end it`);
    if (signal(pid, 'SIGTERM') === 'EPERM') throw stillThere;
    const until = performance.now() + LEFT_OVER_MS_MAX;
    while (this.#isLeftOver(pid, config)) {
      if (performance.now() > until) throw stillThere;
      await new Promise((resolve_) => setTimeout(resolve_, LEFT_OVER_PAUSE_MS));
    }
  }

  /** Whose command line nobody shows could be the one that writes here: two on one store spoil it. */
  #isLeftOver(pid, config) {
    const line = commandLine(pid);
    if (line !== undefined) return line.includes(config);
    throw new StackRefused(
      `process ${pid} may be a nats-server that has ${this.store}: its command line cannot be seen; end it, or remove ${this.#pidFile} if it is another`,
    );
  }

  async kill() {
    await this.process?.kill();
  }

  async end() {
    await this.process?.end();
  }

  /** `rm -rf` of everything that it holds. */
  wipe() {
    rmSync(this.store, { recursive: true, force: true });
  }

  get version() {
    return existsSync(this.path) ? (/v([\d.]+)/.exec(execFileSync(this.path, ['--version'], { encoding: 'utf8' }))?.[1] ?? '') : '';
  }
}

/** What a process was started with; empty if there is none, or it is no longer run; `undefined` if it lives and that cannot be seen. */
function commandLine(pid) {
  let line;
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      line = ''; // There is none, or others' processes are hidden.
    }
  } else line = spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? ''; // There may be no `ps`.
  return line === '' && signal(pid, 0) !== 'ESRCH' ? undefined : line;
}

/** The code of the error if it could not be sent. */
function signal(pid, name) {
  try {
    process.kill(pid, name);
    return undefined;
  } catch (error) {
    return error.code;
  }
}

/** The token that opens the gateway of a data folder. */
export const tokenOf = (data) => readFileSync(join(data, 'token'), 'utf8').trim();
