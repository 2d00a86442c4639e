import { describe, expect, it } from '@jest/globals';
import { contractMetrics, metricsContract, PATIENCE_MS, tryCase, type MetricsHarness } from '@cairn/testkit';
import { createPromMetrics } from './prom-metrics.js';

/** One line of the text format, by its name and labels in any order. */
function lineOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const line = text.split('\n').find((candidate) => {
    const [, found, inside = ''] = /^(\w+)(?:\{(.*)\})? /.exec(candidate) ?? [];
    const pairs = inside === '' ? [] : inside.split(',').sort();
    return (
      found === name &&
      JSON.stringify(pairs) ===
        JSON.stringify(
          Object.entries(labels)
            .map(([key, value]) => `${key}="${value}"`)
            .sort(),
        )
    );
  });
  return line === undefined ? NaN : Number(line.slice(line.lastIndexOf(' ')));
}

async function make(): Promise<MetricsHarness> {
  const metrics = createPromMetrics(contractMetrics);
  return {
    metrics,
    value: async (name, labels) => lineOf(await metrics.render(), name, labels),
    observed: async (name, labels) => {
      const text = await metrics.render();
      return { count: lineOf(text, `${name}_count`, labels), sum: lineOf(text, `${name}_sum`, labels) };
    },
    patienceMs: PATIENCE_MS,
    dispose: async () => undefined,
  };
}

describe('metrics on prom-client keep the promises of Metrics', () => {
  for (const promise of metricsContract) it(promise.name, () => tryCase(promise, make));

  it('show known label values as 0 from the start', async () => {
    const metrics = createPromMetrics([
      { name: 'runs_total', kind: 'counter', help: 'Runs.', labels: ['end'], known: [{ end: 'completed' }, { end: 'failed' }] },
      { name: 'wait_seconds', kind: 'histogram', help: 'Waits.', buckets: [1] },
    ]);
    const text = await metrics.render();
    expect([lineOf(text, 'runs_total', { end: 'failed' }), lineOf(text, 'wait_seconds_count')]).toEqual([0, 0]);
    expect(metrics.contentType).toMatch(/^text\/plain/);
  });

  it('take an undeclared name, or a name of another kind, for a bug', () => {
    const metrics = createPromMetrics(contractMetrics);
    for (const wrong of [
      () => metrics.count('nobody'),
      () => metrics.count('contract_open'),
      () => metrics.gauge('contract_wait_seconds', 1),
      () => metrics.observe('contract_open', 1),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: 'invariant_broken' }));
    }
  });
});
