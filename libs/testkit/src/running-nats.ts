import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

/** A nats-server process of one spec: its own port, its own folder, JetStream on, started and killed by its pid alone. */
export class RunningNats {
  private log = '';

  private constructor(
    private readonly server: string,
    private readonly folder: string,
    private child: ChildProcess | undefined,
    private port: number,
  ) {}

  /** Starts one on a free port. */
  static async start(path: string): Promise<RunningNats> {
    const nats = new RunningNats(path, mkdtempSync(join(tmpdir(), 'cairn-nats-')), undefined, -1);
    await nats.run();
    return nats;
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
    if (wiped) rmSync(join(this.folder, 'store'), { recursive: true, force: true });
    await this.run();
  }

  /** SIGSTOP: it neither answers nor closes its connections. Resolves when every thread of it stands still: the signal only asks for that. */
  async freeze(): Promise<void> {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    this.child?.kill('SIGSTOP');
    await waitUntil('nats-server stands still', () => threadsOf(pid).every((state) => state === 'T'));
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    const config = join(this.folder, 'nats.conf');
    mkdirSync(join(this.folder, 'store'), { recursive: true });
    const store = JSON.stringify(join(this.folder, 'store'));
    writeFileSync(config, `listen: "127.0.0.1:${this.port}"\njetstream { store_dir: ${store}, sync_interval: "1s" }\n`);
    this.log = '';
    const child = spawn(this.server, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
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
}

/** The state letter of each thread of a process (proc(5): `T` is stopped). A thread that has just ended is left out. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return /\) (\S)/.exec(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}
