import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { standsStill } from './threads.js';
import { waitUntil } from './wait-until.js';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Characters of standard error that are kept: what an error quotes. */
const STDERR_KEPT = 65_536;

/** A process of node, started as a user starts it, and killed as the world kills it: by its own pid. */
export class Spawned {
  private text = '';
  readonly exited: Promise<Exit>;

  private constructor(
    readonly child: ChildProcess,
    /** Of its standard output. Rejects if it ends before it says anything. */
    readonly firstLine: Promise<string>,
  ) {
    this.exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
    child.stderr?.on('data', (bytes: Buffer) => (this.text = (this.text + bytes.toString()).slice(-STDERR_KEPT)));
  }

  static start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Spawned {
    const child = spawn(process.execPath, [script, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = createInterface({ input: child.stdout });
    const said: string[] = [];
    child.stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()));
    const firstLine = new Promise<string>((done, fail) => {
      lines.once('line', done);
      child.once('close', (code, signal) =>
        fail(new Error(`${script} ended before it said anything: ${code ?? signal} ${said.join('').slice(-2_000)}`)),
      );
    });
    firstLine.catch(() => undefined);
    void firstLine.finally(() => (said.length = 0)).catch(() => undefined);
    return new Spawned(child, firstLine);
  }

  get stderr(): string {
    return this.text;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends the signal, `kill -9` if not said, and waits until the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    if (this.isRunning) this.child.kill(signal);
    return this.exited;
  }

  /** SIGSTOP. Resolves when every thread of it stands still: the signal only asks for that. */
  async freeze(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined || !this.isRunning) return;
    this.child.kill('SIGSTOP');
    await waitUntil('the process stands still', () => standsStill(pid));
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }
}
