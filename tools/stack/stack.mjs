// The stack as a module: nats-server, the bus applied, one process a service, several of execution if asked. For `npm run stack`, the
// demo, the bench and the chaos cases. It starts what it is told, knows everybody by name and pid, and ends only what it started.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StackRefused, takeFolder } from './folder.mjs';
import { findNatsServer, StackNats, tokenOf } from './nats.mjs';
import { StackProcess } from './process.mjs';

const root = resolve(import.meta.dirname, '../..');
export const cairnBin = join(root, 'services/cli/bin/cairn.js');
/** Node processes of the stack end with it, though it may have no time to end them. */
const withParent = ['--import', new URL('./with-parent.mjs', import.meta.url).href];
const binOf = (service) => join(root, `services/${service}/bin/${service}.js`);

/** Services of one process each, beside the replicas of execution. */
const SINGLE = ['scheduling', 'retry-policy', 'human-review', 'gateway'];

/** What `cairn` ends with where nobody answers. */
const UNREACHABLE = 5;
/** What it ends with where somebody must change something first. */
const CONFIG = 78;

/** The shell's own Cairn must not lead the stack elsewhere. */
function cleanEnv() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CAIRN_') || name === 'CAIRN_NATS_SERVER'));
}

/**
 * Starts everything. Resolves when every service says that it is ready; rejects with the last lines of the one that did not, with
 * `StackRefused` if another has the folder or the port, or the event store is not to be had.
 * `data`: folder, made if it is not there. `port`: of the gateway, 0 takes a free one. `natsPort`: 0 takes a free one. `replicas`: of
 * execution. `eventStore`: as `CAIRN_EVENT_STORE` names it; without it the libSQL file of `data`. `env`: for all services; `envOf(name)`: for one (a crash point, say). `onLine(name, line)`: told of every line.
 */
export async function startStack(options) {
  const stack = new Stack(options);
  try {
    await stack.startAll();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

export class Stack {
  processes = new Map();
  /** What each service said when it was ready: pid, metrics, and the gateway its url. */
  said = new Map();
  #commands = new Set();
  #isEnding = false;

  constructor({
    data,
    port = 0,
    natsPort = 0,
    replicas = 1,
    services = SINGLE,
    ns = 'default',
    eventStore,
    env = {},
    envOf = () => ({}),
    onLine,
    natsServer,
  }) {
    this.data = resolve(data);
    this.port = port;
    this.ns = ns;
    this.env = eventStore === undefined ? env : { CAIRN_EVENT_STORE: eventStore, ...env };
    this.envOf = envOf;
    this.onLine = onLine;
    this.names = [...executionNames(replicas), ...services];
    mkdirSync(this.data, { recursive: true, mode: 0o700 });
    this.nats = new StackNats({
      path: natsServer ?? findNatsServer(),
      folder: join(this.data, 'nats'),
      port: natsPort === 0 ? -1 : natsPort,
      onLine,
    });
  }

  get url() {
    return this.said.get('gateway')?.url;
  }

  get token() {
    return tokenOf(this.data);
  }

  /** For everything that belongs to this stack: services, the command line, handlers. */
  get processEnv() {
    return { ...cleanEnv(), CAIRN_DATA: this.data, CAIRN_NATS_URL: this.nats.url, CAIRN_NS: this.ns, ...this.env };
  }

  async startAll() {
    this.folder = takeFolder(this.data);
    await this.nats.start();
    this.#mustGoOn();
    if (this.usesEventStoreDb) await this.applyStore();
    await this.applyBus();
    // Retry-policy and scheduling first: a run needs their policies and its receipt before anything else.
    await Promise.all(this.names.map((name) => this.start(name)));
  }

  get usesEventStoreDb() {
    return (this.env.CAIRN_EVENT_STORE ?? '').startsWith('esdb');
  }

  /** Rights and settings of an EventStoreDB. Whose user may not is told so, and goes on: an admin may have done it. */
  async applyStore() {
    const { code, out, err } = await this.cairn('store', 'apply');
    const says = err.trim().replace(/^cairn: /, '');
    if (code === UNREACHABLE) throw new StackRefused(`the event store does not answer: ${says}`);
    if (code === CONFIG) throw new StackRefused(says);
    if (code !== 0) this.onLine?.('stack', `cairn store apply ended with ${code}: ${(err || out).trim()}`, 'stderr');
  }

  /** Reads the queues from the event store: where that refuses, is none or is away, no service would come up. */
  async applyBus() {
    const { code, out, err } = await this.cairn('bus', 'apply', '--json');
    if (code === 0) return out;
    const problem = problemIn(out);
    if (code === CONFIG || problem?.code === 'store_unavailable') throw new StackRefused(problem?.detail ?? err.trim());
    throw Object.assign(new Error(`cairn bus apply ended with ${code}: ${problem?.detail ?? (err || out)}`), { exit: code });
  }

  /** Whoever is told to end while he starts starts nothing more. */
  #mustGoOn() {
    if (this.#isEnding) throw new Error('it was told to end while it started');
  }

  /** A service by name: `execution`, `execution-2`, `scheduling`, `retry-policy`, `human-review`, `gateway`. */
  async start(name) {
    this.#mustGoOn();
    const service = name.replace(/-\d+$/, '');
    const env = { ...this.processEnv, CAIRN_LOG_LEVEL: 'warn', ...this.env, ...this.envOf(name) };
    if (service === 'gateway') env.CAIRN_PORT = String(this.port);
    const args = [...withParent, binOf(service), '--json'];
    const process_ = new StackProcess(name, process.execPath, args, { env, stdin: 'pipe', onLine: this.onLine });
    this.processes.set(name, process_);
    const said = await process_.ready();
    this.said.set(name, said);
    if (service === 'gateway') this.port = Number(new URL(said.url).port); // The same again after a restart.
    return said;
  }

  /** Any other process, a handler say, with this stack's environment. */
  spawn(name, args, env = {}) {
    this.#mustGoOn();
    const options = { env: { ...this.processEnv, ...env }, stdin: 'pipe', onLine: this.onLine };
    const process_ = new StackProcess(name, process.execPath, [...withParent, ...args], options);
    this.processes.set(name, process_);
    return process_;
  }

  /** A `cairn` command of this stack. */
  async cairn(...args) {
    this.#mustGoOn();
    const process_ = new StackProcess('cairn', process.execPath, [cairnBin, ...args], { env: this.processEnv });
    this.#commands.add(process_);
    const out = [];
    const err = [];
    process_.child.stdout.on('data', (chunk) => out.push(chunk));
    process_.child.stderr.on('data', (chunk) => err.push(chunk));
    await process_.closed; // At its exit the end of what it said may not have been read.
    const code = await process_.exited;
    this.#commands.delete(process_);
    return { code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') };
  }

  process(name) {
    return this.processes.get(name);
  }

  /** `kill -9` of one. */
  async kill(name) {
    await this.processes.get(name)?.kill();
  }

  /** HTTP to the gateway: `{status, json}`. */
  async http(method, path, body) {
    const response = await fetch(`${this.url}/v1/${this.ns}/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  }

  /** Drains everything: handlers and gateway first, the bus last. Resolves with how each ended. */
  async stop() {
    this.#isEnding = true;
    const ended = {};
    await Promise.all([...this.#commands].map((command) => command.kill()));
    const own = [...this.processes.keys()];
    const end = async (names) => {
      await Promise.all(names.map(async (name) => (ended[name] = await this.processes.get(name).end())));
    };
    await end(own.filter((name) => !this.names.includes(name)));
    await end(own.filter((name) => name === 'gateway'));
    await end(own.filter((name) => this.names.includes(name) && name !== 'gateway'));
    await this.nats.end();
    this.folder?.release();
    this.folder = undefined;
    return ended;
  }
}

/** What `--json` says instead of an answer. */
function problemIn(out) {
  try {
    return JSON.parse(out);
  } catch {
    return undefined;
  }
}

function executionNames(replicas) {
  return Array.from({ length: replicas }, (_, i) => (i === 0 ? 'execution' : `execution-${i + 1}`));
}
