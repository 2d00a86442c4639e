import { describe, it } from '@jest/globals';
import { busContract, contractStreams, PATIENCE_MS, tryCase, wallClock, type BusHarness } from '@cairn/testkit';
import { createMemoryBus, type MemoryBound } from './memory-bus.js';

async function make(): Promise<BusHarness> {
  const bus = createMemoryBus({ clock: wallClock, streams: contractStreams });
  return {
    bus,
    crash: async (bound) => (bound as MemoryBound).abandon(),
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      bus.wipe(); // Handlers of some cases never settle.
      await bus.close();
    },
  };
}

describe('bus in memory keeps the promises of Bus', () => {
  for (const promise of busContract) it(promise.name, () => tryCase(promise, make));
});
