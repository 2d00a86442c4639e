import { workQueue, type Problem } from '@cairn/contracts';
import type { Definition } from '@cairn/domain-definition';
import type { JsonObject } from '@cairn/kernel';
import { Refusal } from '../refusal.js';
import { applyBus, type Mended } from './apply-bus.js';
import { connectTo, natsAccess, withoutPassword, type NatsOptions } from './nats-access.js';

/** What was done on the bus for the queues of definitions that the server has just taken. */
export interface AppliedQueues {
  readonly nats: string;
  readonly differences: readonly Mended[];
  /** Why the consumers could not be made. The definitions are stored all the same. */
  readonly problem?: Problem;
}

/** Makes the consumers of the queues, where it is known that there is a bus; `undefined` on a server without one. */
export async function applyQueues(
  ns: string,
  definitions: readonly Definition[],
  options: NatsOptions,
  env: NodeJS.ProcessEnv,
): Promise<AppliedQueues | undefined> {
  let nats = '';
  try {
    const access = natsAccess(options, env);
    if (access.origin === 'default') return undefined;
    nats = withoutPassword(access.url);
    const { queuesOf } = await import('@cairn/application');
    const queues = new Set(definitions.flatMap((definition) => queuesOf(definition as unknown as JsonObject)));
    const connection = await connectTo(access, 'cairn def apply');
    try {
      return {
        nats,
        differences: await applyBus(connection, { streams: [], consumers: [...queues].map((queue) => workQueue(ns, queue)) }),
      };
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (error instanceof Refusal) return { nats, differences: [], problem: error.problem };
    throw error;
  }
}
