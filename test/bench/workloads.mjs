// What is measured. Handlers return at once: what is left is the engine.

/** Ten task steps, one after another: 22 events a run. */
const STEPS = 10;
const chain = {
  cairn: 1,
  name: 'bench-chain',
  version: '1.0.0',
  goal: 'ten steps, one after another',
  steps: Array.from({ length: STEPS }, (_, i) => ({ id: `s${i}`, task: { queue: 'bench' }, input: { n: i, vendor: '${input.vendor}' } })),
};

/** Fifty loops of a hundred turns: one run of 5,000 steps. */
const LOOPS = 50;
const TURNS = 100;
const long = {
  cairn: 1,
  name: 'bench-long',
  version: '1.0.0',
  goal: 'five thousand steps, one after another',
  limits: { occurrences: 10_000 },
  steps: Array.from({ length: LOOPS }, (_, i) => ({
    id: `s${i}`,
    task: { queue: 'bench' },
    input: { n: i, vendor: '${input.vendor}' },
    repeat: { until: `turn >= ${TURNS}`, max: TURNS },
  })),
};

/** Three steps, the first of which fails twice: two judgements and two retries a run, after the shortest pause that a policy may have. */
const flaky = {
  cairn: 1,
  name: 'bench-flaky',
  version: '1.0.0',
  goal: 'three steps, the first succeeds at its third attempt',
  retry: 'bench-quick',
  steps: [
    { id: 'flaky', task: { queue: 'bench-flaky' }, input: { vendor: '${input.vendor}' } },
    ...['b', 'c'].map((id) => ({ id, task: { queue: 'bench' }, input: { vendor: '${input.vendor}' } })),
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

/** Ten steps of 20 ms each, by handlers of their own that are killed. */
const slow = { ...chain, name: 'bench-slow', steps: chain.steps.map((step) => ({ ...step, task: { queue: 'bench-slow' } })) };

/** `inFlight`: the rows of a workload, when `--in-flight` does not say. `runs`: how many are measured, when `--runs` does not. */
export const workloads = {
  W1: { says: '10-step runs, many at a time', definition: chain, steps: STEPS, inFlight: [64, 256], runs: 4_000 },
  W2: { says: '10-step runs, one at a time', definition: chain, steps: STEPS, inFlight: [1], runs: 300 },
  W5: { says: 'one run of 5,000 steps', definition: long, steps: LOOPS * TURNS, inFlight: [1], runs: 1 },
  W6: {
    says: 'kill -9 of the handler process in the middle of 200 runs',
    definition: slow,
    steps: STEPS,
    inFlight: [200],
    runs: 200,
    kills: true,
  },
  W7: { says: '3-step runs whose first step fails twice', definition: flaky, policy: quick, steps: 3, inFlight: [256, 512], runs: 4_000 },
};

/** Steps that run before anything is measured, at 64 in flight: the first repetition is 30-50 % slow (`facts.md` §2.7). */
export const WARM_UP_STEPS = 40_000;
export const warmUp = { definition: chain, steps: STEPS, inFlight: 64 };
