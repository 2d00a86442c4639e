import { describe, it } from '@jest/globals';
import {
  artifactsContract,
  clockContract,
  idsContract,
  metricsContract,
  namedArtifactsContract,
  PATIENCE_MS,
  randomnessContract,
  tryCase,
  type ArtifactsHarness,
  type ClockHarness,
  type MetricsHarness,
  type NamedArtifactsHarness,
} from '@cairn/testkit';
import { createMemoryArtifacts } from './memory-artifacts.js';
import { Pcg32 } from './pcg32.js';
import { createRecordingMetrics } from './recording-metrics.js';
import { Scheduler } from './scheduler.js';
import { seededIds, seededRandomness } from './seeded.js';

const harness = { patienceMs: PATIENCE_MS, dispose: async () => undefined };

async function makeClock(): Promise<ClockHarness> {
  const scheduler = new Scheduler({ order: new Pcg32(7n) });
  return { ...harness, clock: scheduler.clockOf('somebody'), pass: async (ms) => void (await scheduler.drain(scheduler.now + ms)) };
}

async function makeArtifacts(): Promise<ArtifactsHarness & NamedArtifactsHarness> {
  const artifacts = createMemoryArtifacts();
  return { ...harness, artifacts, crash: async () => artifacts, corrupt: async (sha256, bytes) => artifacts.corrupt(sha256, bytes) };
}

async function makeMetrics(): Promise<MetricsHarness> {
  const metrics = createRecordingMetrics();
  return {
    ...harness,
    metrics,
    value: async (name, labels) => metrics.value(name, labels),
    observed: async (name, labels) => {
      const values = metrics.observations(name, labels);
      return { count: values.length, sum: values.reduce((a, b) => a + b, 0) };
    },
  };
}

describe('the simulated world keeps the promises of Clock, Randomness, Ids, Artifacts and Metrics', () => {
  for (const promise of clockContract) it(promise.name, () => tryCase(promise, makeClock));
  for (const promise of randomnessContract)
    it(promise.name, () => tryCase(promise, async () => ({ ...harness, randomness: seededRandomness(new Pcg32(1n)) })));
  for (const promise of idsContract) it(promise.name, () => tryCase(promise, async () => ({ ...harness, ids: seededIds(new Pcg32(1n)) })));
  for (const promise of artifactsContract) it(promise.name, () => tryCase(promise, makeArtifacts));
  for (const promise of namedArtifactsContract) it(promise.name, () => tryCase(promise, makeArtifacts));
  for (const promise of metricsContract) it(promise.name, () => tryCase(promise, makeMetrics));
});
