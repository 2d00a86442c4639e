import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
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
  const { CAIRN_URL: _url, CAIRN_TOKEN: _token, ...env } = process.env;
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
  const reader = start('reader', ['--refuse', '2']);
  const payments = start('payments', ['--first-answer-after', '3000']);
  const urlOf = async (one: Spawned): Promise<string> => (await one.printed(/ at http/)).split(' at ')[1] ?? '';
  return { reader, payments, readerUrl: await urlOf(reader), paymentsUrl: await urlOf(payments) };
}

export interface ServerFile {
  readonly url: string;
  readonly pid: number;
}

/** `cairn dev`, ready to answer. Its output goes to a file, so that it can outlive the demo. */
export async function startServer({ data, log }: World, port: number): Promise<{ readonly server: Spawned; readonly url: string }> {
  const out = openSync(log, 'a');
  const child = spawn(process.execPath, [cairnBin, 'dev', '--port', String(port), '--data', data, '--json'], {
    stdio: ['ignore', out, out],
    detached: true,
  });
  closeSync(out);
  const server = new Spawned('server', child);
  const { url } = await until('the server is ready', async () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}; its output is in ${log}`);
    const file = readServerFile(data);
    return file !== undefined && file.pid === child.pid && (await answers(file.url)) ? file : undefined;
  });
  return { server, url };
}

export function startHandlers({ data, filed }: World, { readerUrl, paymentsUrl }: Outside): Spawned {
  const env = environment({ CAIRN_DATA: data, FILED_TO: filed, READER_URL: readerUrl, PAYMENTS_URL: paymentsUrl });
  return new Spawned('handlers', spawn(process.execPath, [fileOf('handlers.js')], { stdio: ['ignore', 'pipe', 'pipe'], env }));
}

/** A `cairn` command whose lines are shown as they come. */
export function startCairn(who: string, { data }: World, args: readonly string[]): Spawned {
  return new Spawned(
    who,
    spawn(process.execPath, [cairnBin, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: environment({ CAIRN_DATA: data }) }),
  );
}

export async function runCairn(
  { data }: World,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [cairnBin, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment({ CAIRN_DATA: data }),
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
