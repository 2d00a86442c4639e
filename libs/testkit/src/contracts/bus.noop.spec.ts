import { describe, expect, it } from '@jest/globals';
import type { Bus } from '@cairn/ports';
import type { BusHarness } from './bus/harness.js';
import { busContract } from './bus.contract.js';
import { tryCase } from './contract.js';

/** Takes everything, delivers nothing, answers at once with nothing. */
const noop: Bus = {
  publish: async () => undefined,
  ask: async () => ({}),
  consume: async () => ({ stop: async () => undefined }),
  close: async () => undefined,
};

const make = async (): Promise<BusHarness> => ({ bus: noop, crash: async () => undefined, patienceMs: 20, dispose: async () => undefined });

describe('a bus that does nothing breaks every promise of Bus', () => {
  for (const promise of busContract) it(promise.name, () => expect(tryCase(promise, make)).rejects.toThrow());
});
