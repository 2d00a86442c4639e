// Goal: F-44: a signal and a deadline in the same millisecond, and three operators at once. Exactly one wins each time, by the revision,
// and the oracle sees one line of history. Method: many runs whose deadline and whose signal meet; two replicas of execution.
import { expect } from '@jest/globals';
import type { End } from './kit/oracle.js';
import { RUNS, SETTLE_MS, withCluster } from './kit/with-cluster.js';

const DEADLINE_MS = 5_000;
/** Signals come within so much of the deadline: some before it, some after, some at once. */
const SPREAD_MS = 400;

const racing = {
  cairn: 1,
  name: 'racing',
  version: '1.0.0',
  steps: [{ id: 'w', wait: { any: [{ signal: 'now' }], deadline: `${DEADLINE_MS}ms`, onDeadline: { fail: 'timeout' } } }],
};

withCluster('races', { replicas: 2, handlers: [] }, (add) => {
  add('F-44: signal, deadline and three operators meet', async ({ cluster, load, histories, random }) => {
    await load.insist('PUT', 'definitions/racing', racing);
    load.allow('racing', ['RunCompleted', 'RunFailed', 'RunCancelled', 'stands']);
    const race = async (i: number): Promise<string> => {
      const [key = ''] = await load.start(1, 'racing');
      const runId = load.accepted.get(key) ?? '';
      const [started] = await histories.of(runId);
      const due = Date.parse(started?.at ?? '') + DEADLINE_MS - Date.now() + (random() - 0.5) * SPREAD_MS;
      await new Promise((later) => setTimeout(later, due));
      const ask = (verb: string): Promise<unknown> => cluster.call('POST', `runs/${runId}${verb}`, {}).catch(() => undefined);
      await Promise.all(i % 2 === 0 ? [ask('/signals/now')] : [ask('/signals/now'), ask(':pause'), ask(':cancel'), ask(':unpause')]);
      return key;
    };
    const keys = await Promise.all(Array.from({ length: 2 * RUNS }, (_, i) => race(i)));
    await load.settled(SETTLE_MS);
    const ends = new Set(keys.map((key): End['type'] | undefined => histories.ends.get(load.accepted.get(key) ?? '')?.type));
    process.stdout.write(`chaos: races ended as ${[...ends].join(', ')}\n`);
    expect(ends.size).toBeGreaterThan(1); // Else nobody raced.
  });
});
