import { describe, it } from '@jest/globals';
import { eventStoreContract, PATIENCE_MS, tryCase, type EventStoreHarness } from '@cairn/testkit';
import { createMemoryEventStore } from './memory-event-store.js';

/** The store outlives the processes that use it: each of them sees the same object, and a crash leaves it alone. */
async function make(): Promise<EventStoreHarness> {
  const store = createMemoryEventStore();
  return { store, another: async () => store, crash: async () => store, patienceMs: PATIENCE_MS, dispose: () => store.close() };
}

describe('event store in memory keeps the promises of EventStore', () => {
  for (const promise of eventStoreContract) it(promise.name, () => tryCase(promise, make));
});
