import assert from 'node:assert/strict';
import type { Labels, Metrics } from '@cairn/ports';
import type { ContractCase, Harness } from './contract.js';

export interface MetricsHarness extends Harness {
  readonly metrics: Metrics;
  /** A counter's or gauge's value as a reader of this adapter sees it. */
  readonly value: (name: string, labels?: Labels) => Promise<number>;
  /** How many values a histogram has, and their sum. */
  readonly observed: (name: string, labels?: Labels) => Promise<{ readonly count: number; readonly sum: number }>;
}

/** The metrics that an adapter must be given for the contract, as data. */
export const contractMetrics = [
  { name: 'contract_things_total', kind: 'counter', help: 'Things.', labels: ['kind', 'place'] },
  { name: 'contract_open', kind: 'gauge', help: 'Open things.', labels: [] },
  { name: 'contract_wait_seconds', kind: 'histogram', help: 'Waiting.', labels: ['kind'], buckets: [1, 10] },
] as const;

/** The promises of `Metrics`. */
export const metricsContract: readonly ContractCase<MetricsHarness>[] = [
  {
    name: 'a counter adds up, by one when nothing is said, for each set of labels, whatever their order',
    run: async ({ metrics, value }) => {
      const labels = { kind: 'a', place: 'x' };
      metrics.count('contract_things_total', labels);
      metrics.count('contract_things_total', { place: 'x', kind: 'a' }, 2.5);
      metrics.count('contract_things_total', { kind: 'b', place: 'x' }, 0);
      assert.deepEqual(
        [await value('contract_things_total', labels), await value('contract_things_total', { kind: 'b', place: 'x' })],
        [3.5, 0],
      );
    },
  },
  {
    name: 'a counter never falls',
    run: async ({ metrics }) => {
      assert.throws(() => metrics.count('contract_things_total', { kind: 'a', place: 'x' }, -1));
    },
  },
  {
    name: 'a gauge is what it was set to last',
    run: async ({ metrics, value }) => {
      metrics.gauge('contract_open', 7);
      metrics.gauge('contract_open', 3);
      assert.equal(await value('contract_open'), 3);
    },
  },
  {
    name: 'a histogram counts and sums what it is told, for each set of labels',
    run: async ({ metrics, observed }) => {
      for (const seconds of [0.5, 5, 50]) metrics.observe('contract_wait_seconds', seconds, { kind: 'a' });
      metrics.observe('contract_wait_seconds', 1, { kind: 'b' });
      assert.deepEqual(await observed('contract_wait_seconds', { kind: 'a' }), { count: 3, sum: 55.5 });
      assert.deepEqual(await observed('contract_wait_seconds', { kind: 'b' }), { count: 1, sum: 1 });
    },
  },
];
