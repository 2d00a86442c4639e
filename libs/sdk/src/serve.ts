import type { Id } from '@cairn/kernel';
import type { ConnectionOptions } from './connection.js';
import type { Handler } from './handler.js';
import { Session } from './session.js';

/** How long tasks may go on after a drain began, before their signals are aborted. Fits the 25 s of `experience.md` §3.2 twice over. */
const GRACE_MS = 10_000;

export interface ServeOptions extends ConnectionOptions {
  /** Who works, for people and for the history: `handler:<name>/<pid>`. Default: the first handler's queue. */
  readonly name?: string;
  /** How long running tasks may go on after `stop()` before their signals are aborted. Default 10,000. */
  readonly graceMs?: number;
  /** `false`: SIGTERM and SIGINT are the caller's affair. Default: they drain the session and end the process with 0. */
  readonly signals?: boolean;
  /** Where lines for people go (server away, server back). Default: standard error. */
  readonly say?: (line: string) => void;
}

export interface Worker {
  readonly session: Id;
  /** Takes nothing new, lets running tasks end, delivers their replies, closes. The same promise for every call. */
  stop(): Promise<void>;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/**
 * Works for the given queues until `stop()`: one session, one process. It returns at once and never throws for a server that is away:
 * it looks for it again and again (10 ms to 1 s) and goes on where it was. Throws `TypeError` for two handlers of one queue.
 */
export function serve(options: ServeOptions, handlers: readonly Handler[]): Worker {
  const queues = new Set(handlers.map(({ queue }) => queue));
  const first = handlers[0];
  if (first === undefined) throw new TypeError('serve: at least one handler is needed');
  if (queues.size !== handlers.length) throw new TypeError('serve: one handler a queue');
  const name = options.name ?? first.queue;
  if (!NAME.test(name)) throw new TypeError(`serve: '${name}' is no name for a handler (letters, digits, '.', '_', '-', at most 63)`);

  const say = options.say ?? ((line: string): void => console.error(`cairn handler ${name}: ${line}`));
  const session = new Session(handlers, options, `${name}/${process.pid}`, say);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= session.stop(options.graceMs ?? GRACE_MS));
  if (options.signals !== false) {
    const drain = (): void => void stop().then(() => process.exit(0));
    process.once('SIGTERM', drain);
    process.once('SIGINT', drain);
  }
  return { session: session.id, stop };
}
