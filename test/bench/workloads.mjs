// What is measured, whoever does it: flows that mean the same on every engine. Steps return at once: what is left is the engine.

export const CHAIN_STEPS = 10;
export const LOOPS = 50;
export const TURNS = 100;
/** How long a step of the flow `slow` takes. */
export const SLOW_STEP_MS = 20;

/**
 * `flow`: what each run does (`engines/cairn-definitions.mjs`, `peers/restate/restate-handlers.mjs`). `inFlight`: the rows of a workload,
 * when `--in-flight` does not say. `runs`: how many are measured, when `--runs` does not. `take`: how (`measures/`).
 */
export const workloads = {
  W1: { says: '10-step runs, many at a time', flow: 'chain', steps: CHAIN_STEPS, inFlight: [64, 256], runs: 4_000, take: 'throughput' },
  W2: { says: '10-step runs, one at a time', flow: 'chain', steps: CHAIN_STEPS, inFlight: [1], runs: 300, take: 'throughput' },
  W3: {
    says: 'signal to completion: runs that wait are sent on, and do one step more',
    flow: 'wait',
    steps: 1,
    inFlight: [1, 64],
    runs: 2_000,
    take: 'signals',
  },
  W4: { says: 'runs that start and wait', flow: 'wait', steps: 0, inFlight: [256], runs: 10_000, take: 'parking' },
  W5: { says: 'one run of 5,000 steps', flow: 'long', steps: LOOPS * TURNS, inFlight: [1], runs: 1, take: 'throughput' },
  W6: {
    says: 'kill -9 of the handler process in the middle of 200 runs',
    flow: 'slow',
    steps: CHAIN_STEPS,
    inFlight: [200],
    runs: 200,
    take: 'lostHandlers',
  },
  W7: { says: '3-step runs whose first step fails twice', flow: 'flaky', steps: 3, inFlight: [256, 512], runs: 4_000, take: 'throughput' },
  W8: {
    says: 'kill -9 of the server in the middle of 200 runs',
    flow: 'slow',
    steps: CHAIN_STEPS,
    inFlight: [200],
    runs: 200,
    take: 'lostServer',
  },
};

/** Steps that run before anything is measured, at 64 in flight: the first repetition is 30-50 % slow (`facts.md` §2.7). */
export const WARM_UP_STEPS = 40_000;
export const warmUp = { flow: 'chain', steps: CHAIN_STEPS, inFlight: 64 };
