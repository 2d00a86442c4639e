import { cpuMs } from '../machine.mjs';
import { inLanes, quantile, round } from './figures.mjs';

/** Keeps `inFlight` runs going until `runs` are done. Milliseconds of each, as the client sees it. */
export async function drive({ engine, flow, inFlight, runs }) {
  const client = engine.client(inFlight);
  const durations = [];
  try {
    await client.apply(flow);
    await inLanes(runs, inFlight, async (n) => {
      const start = performance.now();
      await client.run(flow, { vendor: `V-${n}` });
      durations.push(performance.now() - start);
    });
  } finally {
    client.close();
  }
  return durations;
}

/** W1, W2, W5, W7: steps a second, and what a step costs. */
export async function throughput({ name, workload, inFlight, runs, engine }) {
  await engine.handlers.begin();
  const pids = { ...engine.pids(), client: [process.pid] };
  const before = cpuOf(pids);
  const busBefore = await engine.busTraffic?.();
  const start = performance.now();
  const runMs = await drive({ engine, flow: workload.flow, inFlight, runs });
  const took = (performance.now() - start) / 1000;
  const after = cpuOf(pids);
  const busAfter = await engine.busTraffic?.();
  const { stepMs, arrivals } = await engine.handlers.report();

  const steps = runs * workload.steps;
  if (arrivals.length < steps) throw new Error(`${name}: ${steps} steps expected, ${arrivals.length} seen by the handler`);
  const cpuMsPerStepBy = Object.fromEntries(Object.keys(pids).map((who) => [who, round((after[who] - before[who]) / steps, 4)]));
  return {
    steps,
    seconds: round(took, 2),
    stepsPerSecond: Math.round(steps / took),
    runsPerSecond: Math.round(runs / took),
    cpuMsPerStep: round(
      Object.values(cpuMsPerStepBy).reduce((sum, ms) => sum + ms, 0),
      4,
    ),
    cpuMsPerStepBy,
    stepP50Ms: quantile(stepMs, 0.5),
    stepP99Ms: quantile(stepMs, 0.99),
    runP50Ms: quantile(runMs, 0.5),
    runP99Ms: quantile(runMs, 0.99),
    ...(busAfter === undefined ? {} : { busPerStep: perStep(busBefore, busAfter, steps) }),
    ...(name === 'W5' ? tenths(arrivals.slice(-workload.steps)) : {}),
  };
}

const cpuOf = (pids) =>
  Object.fromEntries(Object.entries(pids).map(([who, some]) => [who, some.reduce((sum, pid) => sum + cpuMs(pid), 0)]));

/** Publishes and acknowledgements of all bus streams a step: starts and ends of runs are in them. */
const perStep = (before, after, steps) => ({
  publishes: round((after.publishes - before.publishes) / steps, 4),
  acks: round((after.acks - before.acks) / steps, 4),
});

/** Steps a second in the first and the last tenth of one run. */
function tenths(arrivals) {
  const tenth = Math.floor(arrivals.length / 10);
  const rate = (from, to) => Math.round(((to - from) * 1000) / (arrivals[to] - arrivals[from]));
  return { firstTenthPerSecond: rate(0, tenth), lastTenthPerSecond: rate(arrivals.length - 1 - tenth, arrivals.length - 1) };
}
