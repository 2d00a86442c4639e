// The flows of `workloads.mjs` as Cairn runs them.
import { CHAIN_STEPS, LOOPS, TURNS } from '../workloads.mjs';

const vendor = '${input.vendor}';
const tasks = (count, queue, more = {}) =>
  Array.from({ length: count }, (_, n) => ({ id: `s${n}`, task: { queue }, input: { n, vendor }, ...more }));

const chain = {
  cairn: 1,
  name: 'bench-chain',
  version: '1.0.0',
  goal: 'ten steps, one after another: 22 events',
  steps: tasks(CHAIN_STEPS, 'bench'),
};

const long = {
  cairn: 1,
  name: 'bench-long',
  version: '1.0.0',
  goal: 'fifty loops of a hundred turns: one run of five thousand steps',
  limits: { occurrences: 10_000 },
  steps: tasks(LOOPS, 'bench', { repeat: { until: `turn >= ${TURNS}`, max: TURNS } }),
};

const wait = {
  cairn: 1,
  name: 'bench-wait',
  version: '1.0.0',
  goal: 'waits for a word, then one step',
  steps: [
    { id: 'word', wait: { any: [{ signal: 'go' }], deadline: '7d', onDeadline: { fail: 'x-nobody-said-go' } } },
    { id: 'after', task: { queue: 'bench' }, input: { vendor }, after: ['word'] },
  ],
};

/** Two judgements and two retries a run, after the shortest pause that a policy may have. */
const flaky = {
  cairn: 1,
  name: 'bench-flaky',
  version: '1.0.0',
  goal: 'three steps, the first succeeds at its third attempt',
  retry: 'bench-quick',
  steps: [
    { id: 'flaky', task: { queue: 'bench-flaky' }, input: { vendor } },
    ...['b', 'c'].map((id) => ({ id, task: { queue: 'bench' }, input: { vendor } })),
  ],
};

const quick = {
  cairn: 1,
  policy: 'bench-quick',
  buckets: {
    network: { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'fixed', first: '100ms', jitter: 0 } },
    handler_lost: { retry: true, attempts: 5, expects: 'another_handler', backoff: { kind: 'fixed', first: '100ms', jitter: 0 } },
    unclassified: { retry: false, escalate: 'triage' },
  },
  onExhausted: ['block'],
};

/** For handlers of their own, which are killed. */
const slow = { ...chain, name: 'bench-slow', steps: tasks(CHAIN_STEPS, 'bench-slow') };

export const definitions = { chain, long, wait, flaky, slow };
export const policies = { flaky: [quick] };
