import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { overheard, until } from './stage.js';

const cairnBin = fileURLToPath(new URL('../../../../services/cli/bin/cairn.js', import.meta.url));
const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** A process of its own. Started with node itself, never with npx: a kill must hit the process, not its parent. */
export class Spawned {
  readonly #lines: string[] = [];
  readonly exited: Promise<number | NodeJS.Signals>;

  constructor(
    private readonly who: string,
    private readonly child: ChildProcess,
  ) {
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        overheard(this.who, line);
      });
    }
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Resolves when the process has printed a line that matches. */
  async printed(pattern: RegExp): Promise<string> {
    return until(`${this.who} prints ${pattern}`, () => this.#lines.find((line) => pattern.test(line)));
  }

  /** SIGKILL: the process cannot catch it, flush anything or say goodbye. */
  async kill9(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async terminate(): Promise<number | NodeJS.Signals> {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  /** Lets the demo end while the process goes on. */
  leave(): void {
    this.child.unref();
  }
}

/** What the user's shell says about another server must not lead the story there. */
function environment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { CAIRN_URL: _url, CAIRN_TOKEN: _token, CAIRN_NATS_URL: _nats, CAIRN_NS: _ns, CAIRN_EVENT_STORE: _store, ...env } = process.env;
  return { ...env, ...more };
}

export interface World {
  /** Data folder of the server. */
  readonly data: string;
  /** Where the handlers put their records. */
  readonly filed: string;
  readonly log: string;
  /** The payment server's ledger. */
  readonly ledger: string;
  /** Namespace of the story. */
  readonly ns: string;
  /** Connection string of an EventStoreDB, for the stack. */
  readonly eventStore?: string;
}

/** The world outside Cairn: who reads, and who pays. Both outlive what is killed here. */
export interface Outside {
  readonly reader: Spawned;
  readonly payments: Spawned;
  readonly readerUrl: string;
  readonly paymentsUrl: string;
}

export async function startOutside({ ledger }: World): Promise<Outside> {
  const start = (name: string, args: readonly string[]): Spawned => {
    const env = environment({ PAYMENTS_LEDGER: ledger });
    return new Spawned(
      name,
      spawn(process.execPath, [fileOf(`services/${name}.js`), '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env }),
    );
  };
  const reader = start('reader', ['--refuse', '2', '--break-after', '6']);
  const payments = start('payments', ['--first-answer-after', '3000']);
  const urlOf = async (one: Spawned): Promise<string> => (await one.printed(/ at http/)).split(' at ')[1] ?? '';
  return { reader, payments, readerUrl: await urlOf(reader), paymentsUrl: await urlOf(payments) };
}

/** What is killed and started again in the story: one process, or all processes of the stack. */
export interface Server {
  /** Process ids, as they are shown. */
  readonly pid: string;
  /** SIGKILL to every process. */
  kill9(): Promise<void>;
  /** Drains; resolves with the exit code. */
  terminate(): Promise<number | NodeJS.Signals>;
  /** Lets the demo end while it goes on. */
  leave(): void;
}

export interface Started {
  readonly server: Server;
  readonly url: string;
}

export interface ServerFile {
  readonly url: string;
  readonly pid: number;
}

/** The embedded default: `cairn dev`, ready to answer. Its output goes to a file, so that it can outlive the demo. */
export async function startServer({ data, log }: World, port: number): Promise<Started> {
  const child = spawnDetached(log, [cairnBin, 'dev', '--port', String(port), '--data', data, '--json']);
  const server = new Spawned('server', child);
  const { url } = await until('the server is ready', async () => {
    mustRun(child, log);
    const file = readServerFile(data);
    return file !== undefined && file.pid === child.pid && (await answers(file.url)) ? file : undefined;
  });
  return {
    server: { pid: String(server.pid), kill9: () => server.kill9(), terminate: () => server.terminate(), leave: () => server.leave() },
    url,
  };
}

interface StackReady {
  readonly url: string;
  readonly nats: { readonly url: string; readonly pid: number; readonly store: string };
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

/** What the stack was last, so that it comes back where it was. */
const natsPorts = new Map<string, string>();

/** `npm run stack`: a real nats-server and a process for each service. Killing it kills them all, and takes the bus's whole store away. */
export async function startStack({ data, log, ns, eventStore }: World, port: number): Promise<Started> {
  const from = existsSync(log) ? readFileSync(log, 'utf8').length : 0;
  const args = ['--json', '--no-handler', '--data', data, '--port', String(port), '--nats-port', natsPorts.get(data) ?? '0', '--ns', ns];
  // Not on its command line, which everybody on the machine may read.
  const child = spawnDetached(log, [stackMain, ...args], eventStore === undefined ? {} : { CAIRN_EVENT_STORE: eventStore });
  const parent = new Spawned('stack', child);
  const ready = await until(
    'the stack is ready',
    () => {
      mustRun(child, log);
      const line = readFileSync(log, 'utf8')
        .slice(from)
        .split('\n')
        .find((text) => text.startsWith('{"ready":true'));
      return line === undefined ? undefined : (JSON.parse(line) as StackReady);
    },
    STACK_READY_MS,
  );
  natsPorts.set(data, new URL(ready.nats.url).port);
  const pids = [ready.nats.pid, ...ready.processes.map(({ pid }) => pid)];
  return {
    url: ready.url,
    server: {
      pid: pids.join(' '),
      kill9: async () => {
        await parent.kill9();
        for (const pid of pids) killPid(pid);
        await until('every process is gone', () => (pids.some(isThere) ? undefined : true));
        rmSync(ready.nats.store, { recursive: true, force: true });
      },
      terminate: () => parent.terminate(),
      leave: () => parent.leave(),
    },
  };
}

const stackMain = fileURLToPath(new URL('../../../../tools/stack/main.mjs', import.meta.url));
/** Six processes and a server, on a machine that does other things too. */
const STACK_READY_MS = 60_000;

function spawnDetached(log: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const out = openSync(log, 'a');
  const child = spawn(process.execPath, args, { stdio: ['ignore', out, out], detached: true, env: environment(env) });
  closeSync(out);
  return child;
}

function mustRun(child: ChildProcess, log: string): void {
  if (child.exitCode === null) return;
  const last = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  throw new Error(`the server ended with ${child.exitCode}: ${last}; its output is in ${log}`);
}

function killPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); // A zombie nobody has looked after does nothing any more.
  } catch {
    return false;
  }
}

export function startHandlers({ data, filed, ns }: World, { readerUrl, paymentsUrl }: Outside): Spawned {
  const env = environment({ CAIRN_DATA: data, CAIRN_NS: ns, FILED_TO: filed, READER_URL: readerUrl, PAYMENTS_URL: paymentsUrl });
  return new Spawned('handlers', spawn(process.execPath, [fileOf('handlers.js')], { stdio: ['ignore', 'pipe', 'pipe'], env }));
}

/** A `cairn` command whose lines are shown as they come. */
export function startCairn(who: string, { data, ns }: World, args: readonly string[]): Spawned {
  return new Spawned(
    who,
    spawn(process.execPath, [cairnBin, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment({ CAIRN_DATA: data, CAIRN_NS: ns }),
    }),
  );
}

export async function runCairn(
  { data, ns }: World,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [cairnBin, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment({ CAIRN_DATA: data, CAIRN_NS: ns }),
  });
  const [out, err, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? -1))),
  ]);
  return { code, out, err };
}

export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

function readServerFile(data: string): ServerFile | undefined {
  const path = join(data, 'server.json');
  try {
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ServerFile) : undefined;
  } catch {
    return undefined; // Just being written.
  }
}
