import { join, resolve } from 'node:path';
import { EffectServer, standsStill, TcpProxy, waitUntil, within } from '@cairn/testkit';
import type { EventStoreDb } from './event-store-db.js';
import { startStack, type Stack, type StackProcess } from '../../system/stack.js';

const HANDLERS = resolve(import.meta.dirname, '../handlers');
/** Handlers by the SDK and by a stock client; each may have several processes: `stock-2`. */
const HANDLER_SCRIPTS: Readonly<Record<string, string>> = { sdk: 'sdk-handlers.mjs', stock: 'stock-handlers.mjs' };

export interface ClusterOptions {
  /** Program of the nats-server. */
  readonly nats: string;
  /** Of execution. Default 1. */
  readonly replicas?: number;
  /** Handler processes by name. Default: one of each kind. */
  readonly handlers?: readonly string[];
  /** Services and handlers that reach the bus over a link of their own, which can be spoiled. */
  readonly linked?: readonly string[];
  /** Where the histories are; else in a libSQL file. */
  readonly eventStoreDb?: EventStoreDb;
  /** For handlers: how long their work takes. */
  readonly workMs?: number;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** A start shares two cores with everything else. */
const START_MS = 60_000;
/** An answer that takes longer does not come: the caller asks again. */
const CALL_MS = 15_000;

/**
 * The stack as processes on one machine (`tools/stack`), handlers, and a target of effects outside; all ports free ones, all data in a
 * folder of its own. Processes are killed, frozen and started again by name.
 */
export class Cluster {
  readonly links = new Map<string, TcpProxy>();
  private readonly envs = new Map<string, NodeJS.ProcessEnv>();
  private effectServer: EffectServer | undefined;
  private running: (Stack & { dispose(): Promise<void> }) | undefined;

  private constructor(private readonly options: ClusterOptions) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  get stack(): Stack {
    if (this.running === undefined) throw new Error('the cluster does not run');
    return this.running;
  }

  get effects(): EffectServer {
    if (this.effectServer === undefined) throw new Error('the cluster does not run');
    return this.effectServer;
  }

  get eventStoreDb(): EventStoreDb {
    if (this.options.eventStoreDb === undefined) throw new Error('this cluster has no EventStoreDB');
    return this.options.eventStoreDb;
  }

  get handlers(): readonly string[] {
    return this.options.handlers ?? Object.keys(HANDLER_SCRIPTS);
  }

  /** Names of everything but the nats-server. */
  get names(): readonly string[] {
    return [...this.stack.processes.keys()];
  }

  process(name: string): StackProcess {
    const process = this.stack.processes.get(name);
    if (process === undefined) throw new Error(`there is no process ${name} in this cluster`);
    return process;
  }

  /** Starts a process, or starts it again; resolves when it says that it is ready. `env` is of this life alone. */
  async run(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    if (this.handlers.includes(name)) {
      const ready = this.spawnHandler(name, env).said((line) => (line === 'ready' ? true : undefined));
      await within(`${name} is ready`, ready, START_MS);
    } else {
      this.envs.set(name, env);
      await within(`${name} is ready`, this.stack.start(name), START_MS);
    }
  }

  /** Starts a process that is going to die by its own hand, perhaps before it is ready. Gives how it ended. */
  doomed(name: string, crashAt: string): Promise<number | string> {
    this.run(name, { NODE_ENV: 'test', CAIRN_CRASH_AT: crashAt }).catch(() => undefined);
    return this.process(name).exited;
  }

  /** `kill -9`; resolves when it is gone. */
  kill(name: string): Promise<void> {
    return this.process(name).kill();
  }

  async killAll(names: readonly string[] = this.names): Promise<void> {
    await Promise.all(names.map((name) => this.kill(name)));
  }

  /** SIGSTOP. Resolves when every thread of it stands still: the signal only asks for that. */
  async freeze(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    await waitUntil('it stands still', () => standsStill(pid));
  }

  thaw(pid: number): void {
    process.kill(pid, 'SIGCONT');
  }

  /** Asks the gateway. Rejects when nobody answers. */
  async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const { url, token } = this.stack;
    const response = await fetch(`${url}/v1/default/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(CALL_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  /** What the processes have said last: for the message of a case that failed. */
  complaints(): string {
    return this.names.map((name) => `${name}: ${this.process(name).lines.slice(-10).join('\n  ')}`).join('\n');
  }

  async dispose(): Promise<void> {
    if (this.running !== undefined) {
      await this.killAll();
      await this.running.dispose();
    }
    await Promise.all([...this.links.values()].map((link) => link.close()));
    await this.effectServer?.dispose();
  }

  private async startAll(): Promise<void> {
    const { nats, replicas = 1, linked = [], eventStoreDb } = this.options;
    this.effectServer = await EffectServer.start();
    // Services connect while the stack is still starting: where the server listens is known from its own words.
    let port = 0;
    const onLine = (name: string, line: string): void => {
      if (name === 'nats-server') port = Number(/Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? port);
    };
    for (const name of linked) this.links.set(name, await TcpProxy.start(() => ({ host: '127.0.0.1', port })));
    const stores = await this.storeEnvs(replicas);
    const envOf = (name: string): NodeJS.ProcessEnv => ({ ...stores.get(name), ...this.linkEnv(name), ...this.envs.get(name) });
    const store = eventStoreDb === undefined ? {} : { eventStore: eventStoreDb.url };
    this.running = await startStack(nats, { replicas, envOf, onLine, ...store });
    await Promise.all(this.handlers.map((name) => this.run(name)));
  }

  /** The link of each service to the EventStoreDB. */
  private async storeEnvs(replicas: number): Promise<ReadonlyMap<string, NodeJS.ProcessEnv>> {
    const db = this.options.eventStoreDb;
    const names = ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'];
    for (let i = 2; i <= replicas; i++) names.push(`execution-${i}`);
    const envs = new Map<string, NodeJS.ProcessEnv>();
    if (db !== undefined) for (const name of names) envs.set(name, { CAIRN_EVENT_STORE: db.urlOver(await db.link(name)) });
    return envs;
  }

  private spawnHandler(name: string, env: NodeJS.ProcessEnv): StackProcess {
    const script = HANDLER_SCRIPTS[name.replace(/-\d+$/, '')] ?? '';
    const own = { CHAOS_EFFECTS_URL: this.effects.url, CHAOS_WORK_MS: String(this.options.workMs ?? 0) };
    return this.stack.spawn(name, [join(HANDLERS, script)], { ...own, ...this.linkEnv(name), ...env });
  }

  private linkEnv(name: string): NodeJS.ProcessEnv {
    const link = this.links.get(name);
    return link === undefined ? {} : { CAIRN_NATS_URL: `nats://127.0.0.1:${link.port}` };
  }
}
