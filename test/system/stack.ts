import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './processes.js';

/** One process of the stack (`tools/stack/process.mjs`). */
export interface StackProcess {
  readonly name: string;
  readonly pid: number;
  readonly isRunning: boolean;
  readonly lines: readonly string[];
  readonly exited: Promise<number | string>;
  said<T>(found: (line: string) => T | undefined, what?: string): Promise<T>;
  ready(): Promise<unknown>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
  end(): Promise<number | string>;
}

/** `tools/stack/stack.mjs`: a nats-server, the bus applied, a process for each service. */
export interface Stack {
  readonly data: string;
  readonly url: string;
  readonly token: string;
  readonly processEnv: NodeJS.ProcessEnv;
  readonly processes: ReadonlyMap<string, StackProcess>;
  readonly said: ReadonlyMap<string, { readonly metrics: string }>;
  readonly nats: {
    readonly url: string;
    readonly pid: number;
    readonly store: string;
    readonly monitor: string;
    start(): Promise<unknown>;
    kill(): Promise<void>;
    wipe(): void;
  };
  applyBus(): Promise<string>;
  start(name: string): Promise<unknown>;
  kill(name: string): Promise<void>;
  spawn(name: string, args: readonly string[], env?: NodeJS.ProcessEnv): StackProcess;
  cairn(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  http<T>(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly json: T }>;
  stop(): Promise<Readonly<Record<string, number | string>>>;
}

export interface StackOptions {
  /** As `CAIRN_EVENT_STORE` names it. Default: the libSQL file of the data folder. */
  readonly eventStore?: string;
  readonly replicas?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly envOf?: (name: string) => NodeJS.ProcessEnv;
  readonly onLine?: (name: string, line: string) => void;
}

interface StackModule {
  startStack(options: StackOptions & { readonly data: string; readonly natsServer: string }): Promise<Stack>;
}

/** A stack on a folder of its own, and the end of both. */
export async function startStack(natsServer: string, options: StackOptions = {}): Promise<Stack & { dispose(): Promise<void> }> {
  const module = (await import(pathToFileURL(join(root, 'tools/stack/stack.mjs')).href)) as StackModule;
  const data = mkdtempSync(join(tmpdir(), 'cairn-stack-'));
  const stack = await module.startStack({ data, natsServer, ...options });
  const dispose = async (): Promise<void> => {
    await stack.stop();
    rmSync(data, { recursive: true, force: true });
  };
  return Object.assign(stack, { dispose });
}
