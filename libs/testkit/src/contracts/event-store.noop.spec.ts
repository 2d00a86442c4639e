import { describe, expect, it } from '@jest/globals';
import type { EventStore } from '@cairn/ports';
import { tryCase } from './contract.js';
import { eventStoreContract } from './event-store.contract.js';
import type { EventStoreHarness } from './event-store/harness.js';

/** Says yes to everything and does nothing. */
const noop: EventStore = {
  append: async (_stream, expected, events) => ({ kind: 'appended', revision: (expected === 'no_stream' ? -1 : expected) + events.length }),
  read: async () => [],
  tail: () => ({ nudge: () => undefined, stop: async () => undefined }),
  newest: async () => undefined,
  readBookmark: async () => undefined,
  writeBookmark: async () => undefined,
  close: async () => undefined,
};

const make = async (): Promise<EventStoreHarness> => ({
  store: noop,
  another: async () => noop,
  crash: async () => noop,
  patienceMs: 20,
  dispose: async () => undefined,
});

describe('an event store that does nothing breaks every promise of EventStore', () => {
  for (const promise of eventStoreContract) it(promise.name, () => expect(tryCase(promise, make)).rejects.toThrow());
});
