import type { StoredQueue } from '@cairn/application';
import { busStreams, consumers, workQueue, type BusStreamSpec } from '@cairn/contracts';
import { StoreFault, type ConsumerSpec } from '@cairn/ports';
import { withPatience } from '../patience.js';
import { openStore, storeOf, storeRefusal } from './open-store.js';

/** The bus as it must be: what the contract says, and a consumer for each queue that a stored definition names. */
export interface DeclaredBus {
  readonly streams: readonly BusStreamSpec[];
  readonly consumers: readonly ConsumerSpec[];
  readonly queues: readonly StoredQueue[];
  /** The store that the queues were read from, without credentials; absent where nothing was ever stored. */
  readonly store?: string;
}

export const declaredBus = (queues: readonly StoredQueue[], store?: string): DeclaredBus => ({
  streams: busStreams,
  consumers: [...consumers, ...queues.map(({ ns, queue }) => workQueue(ns, queue))],
  queues,
  ...(store === undefined ? {} : { store }),
});

/** Reads the queues from the event store of a data folder. Throws a `Refusal` where that cannot be read. */
export async function readDeclaredBus(data: string, env: NodeJS.ProcessEnv): Promise<DeclaredBus> {
  const opened = await openStore(data, env);
  if (opened === undefined) return declaredBus([]);
  try {
    const { storedQueues } = await import('@cairn/application');
    return declaredBus(await withPatience('the queues of stored definitions', storedQueues(opened.store, opened.artifacts)), opened.shown);
  } catch (error) {
    throw error instanceof StoreFault ? storeRefusal(storeOf(data, env), error) : error;
  } finally {
    await opened.close();
  }
}
