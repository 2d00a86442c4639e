import { describe, expect, it } from '@jest/globals';
import { artifactsContract } from './artifacts.contract.js';
import { tryCase, type ContractCase, type Harness } from './contract.js';
import { lineContract } from './line.contract.js';
import { metricsContract } from './metrics.contract.js';
import { namedArtifactsContract } from './named-artifacts.contract.js';
import { clockContract, idsContract, randomnessContract } from './time-and-chance.contract.js';

const base: Harness = { patienceMs: 500, dispose: async () => undefined };

const artifacts = { put: async () => '', get: async () => undefined, setName: async () => undefined, getName: async () => undefined };

function everyCaseFails<H extends Harness>(what: string, contract: readonly ContractCase<H>[], harness: H): void {
  describe(`${what} that do nothing break every promise`, () => {
    for (const promise of contract) it(promise.name, () => expect(tryCase(promise, async () => harness)).rejects.toThrow());
  });
}

everyCaseFails('artifacts', artifactsContract, { ...base, artifacts, crash: async () => artifacts, corrupt: async () => undefined });
everyCaseFails('named artifacts', namedArtifactsContract, { ...base, artifacts, crash: async () => artifacts });
everyCaseFails('lines', lineContract, {
  ...base,
  patienceMs: 20,
  line: async () => ({
    tell: () => undefined,
    ask: async () => new Uint8Array(0),
    roundTrip: async () => undefined,
    listen: () => ({ stop: () => undefined }),
    aliveAt: '',
    ifGone: () => undefined,
    close: async () => undefined,
  }),
  die: async () => undefined,
  heard: async () => undefined,
});
everyCaseFails('clocks', clockContract, {
  ...base,
  clock: { now: () => 0, monotonicMs: () => 0, after: () => ({ cancel: () => undefined }) },
  pass: async () => undefined,
});
everyCaseFails('randomness', randomnessContract, { ...base, randomness: { entropy: () => '0'.repeat(32), fraction: () => 0 } });
everyCaseFails('ids', idsContract, { ...base, ids: { next: () => '0'.repeat(26) } });
everyCaseFails('metrics', metricsContract, {
  ...base,
  metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
  value: async () => 0,
  observed: async () => ({ count: 0, sum: 0 }),
});
