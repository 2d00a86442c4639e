import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where whoever follows a README stands. */
const ROOT = resolve(import.meta.dirname, '../../..');
/** Characters of standard error that are kept: what an error quotes. */
const STDERR_KEPT = 65_536;

/** A process of node, started as a user starts it, and killed as the world kills it: by its own pid. */
export class Spawned {
  private text = '';
  /** Of its standard output. Rejects if it ends before it says anything. */
  readonly firstLine: Promise<string>;
  /** It is gone, and every word of it was heard: a process may end before its last lines are read. */
  readonly exited: Promise<Exit>;

  private constructor(
    readonly child: ChildProcessByStdio<null, Readable, Readable>,
    script: string,
  ) {
    this.exited = new Promise((done) => child.once('close', (code, signal) => done({ code, signal })));
    child.stderr.on('data', (bytes: Buffer) => (this.text = (this.text + bytes.toString()).slice(-STDERR_KEPT)));
    const lines = createInterface({ input: child.stdout });
    this.firstLine = new Promise((done, fail) => {
      lines.once('line', done);
      child.once('close', (code, signal) => fail(new Error(`${script} ended before it said anything: ${code ?? signal} ${this.text}`)));
    });
    this.firstLine.catch(() => undefined);
  }

  static start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Spawned {
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    return new Spawned(spawn(process.execPath, [script, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }), script);
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
}
