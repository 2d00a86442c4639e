import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { standsStill } from './threads.js';
import { waitUntil, within } from './wait-until.js';

const FINDER = resolve(import.meta.dirname, '../../../tools/nats-server.mjs');

export type FoundNats = { readonly path: string } | { readonly missing: string };

/**
 * The nats-server of this machine, or why there is none, for `notRun`. Throws if `CAIRN_NATS_SERVER` names one that cannot be used:
 * who names a server does not want its specs to be left out.
 */
export function findNatsServer(): FoundNats {
  const { status, stdout, stderr } = spawnSync(process.execPath, [FINDER], { encoding: 'utf8' });
  if (status === 0) return { path: stdout.trim() };
  if (process.env['CAIRN_NATS_SERVER']) throw new Error(stderr.trim());
  return { missing: stderr.trim() };
}

/** Lines of the server's log that an error quotes. */
const LOG_LINES_SHOWN = 20;

export interface RunningNatsOptions {
  /** A file to start it with, instead of one without users, whose `store_dir` is `$CAIRN_NATS_STORE`; port and store are the spec's own. */
  readonly config?: string;
  /** What that file takes from the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A nats-server process of one spec: its own port, its own folder, JetStream on, started and killed by its pid alone. */
export class RunningNats {
  private log = '';

  private constructor(
    private readonly server: string,
    private readonly folder: string,
    private child: ChildProcess | undefined,
    private port: number,
    private readonly options: RunningNatsOptions,
  ) {}

  /** Starts one on a free port. */
  static async start(path: string, options: RunningNatsOptions = {}): Promise<RunningNats> {
    const nats = new RunningNats(path, mkdtempSync(join(tmpdir(), 'cairn-nats-')), undefined, -1, options);
    await nats.run();
    return nats;
  }

  /** Lines of its log, of the last 64 KiB, that match. */
  logged(pattern: RegExp): readonly string[] {
    return this.log.split('\n').filter((line) => pattern.test(line));
  }

  /** Where it keeps its streams: to damage them between `kill` and `startAgain`. */
  get store(): string {
    return join(this.folder, 'store');
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    this.child = undefined;
    const gone = new Promise((exited) => child.once('exit', exited));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await gone;
    }
  }

  /** Starts it again on the same port and folder. `wiped`: all that it had stored is gone. */
  async startAgain({ wiped = false } = {}): Promise<void> {
    if (wiped) rmSync(this.store, { recursive: true, force: true });
    await this.run();
  }

  /** SIGSTOP: it neither answers nor closes its connections. Resolves when every thread of it stands still: the signal only asks for that. */
  async freeze(): Promise<void> {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    this.child?.kill('SIGSTOP');
    await waitUntil('nats-server stands still', () => standsStill(pid));
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    mkdirSync(this.store, { recursive: true });
    this.log = '';
    const env = { ...process.env, CAIRN_NATS_STORE: this.store, ...this.options.env };
    const child = spawn(this.server, this.options.config === undefined ? this.plain() : this.configured(this.options.config), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    });
    this.child = child;
    const ready = new Promise<void>((resolveReady, reject) => {
      child.once('exit', () => reject(new Error(`nats-server ended:\n${this.log.split('\n').slice(-LOG_LINES_SHOWN).join('\n')}`)));
      child.once('error', reject);
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.log = (this.log + text).slice(-65_536);
        if (this.log.includes('Server is ready')) resolveReady();
      });
    });
    ready.catch(() => undefined); // It ends later, when it is killed.
    await within('nats-server is ready', ready);
    const port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(this.log)?.[1];
    if (port !== undefined) this.port = Number(port);
  }

  /** No users, no limits. */
  private plain(): string[] {
    const config = join(this.folder, 'nats.conf');
    const store = JSON.stringify(this.store);
    writeFileSync(config, `listen: "127.0.0.1:${this.port}"\njetstream { store_dir: ${store}, sync_interval: "1s" }\n`);
    return ['--config', config];
  }

  /** What a flag says goes before what the file says; its store it takes from `CAIRN_NATS_STORE`. */
  private configured(file: string): string[] {
    return ['--config', file, '--addr', '127.0.0.1', '--port', String(this.port)];
  }
}
