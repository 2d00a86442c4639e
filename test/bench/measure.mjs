import { Client } from './client.mjs';
import { cpuMs, fsyncLimitPerSecond } from './machine.mjs';

/** Keeps `inFlight` runs going until `runs` are done. Milliseconds of each. */
export async function drive({ server, definition, policy, inFlight, runs }) {
  const client = new Client({ ...server, inFlight });
  const durations = [];
  let begun = 0;
  const lane = async () => {
    while (begun < runs) {
      begun++;
      durations.push(await client.run(definition.name, { vendor: `V-${begun}` }));
    }
  };
  try {
    if (policy !== undefined) await client.applyPolicy(policy);
    await client.apply(definition);
    await Promise.all(Array.from({ length: Math.min(inFlight, runs) }, lane));
  } finally {
    client.close();
  }
  return durations;
}

/** One row: a workload at so many in flight. */
export async function measure({ name, workload, inFlight, runs, server, handlers, folder }) {
  const fsyncLimit = fsyncLimitPerSecond(folder);
  await handlers.begin();
  const pids = { server: server.pid, handler: handlers.pid, client: process.pid };
  const before = cpuOf(pids);
  const start = performance.now();
  const runMs = await drive({ server, definition: workload.definition, policy: workload.policy, inFlight, runs });
  const seconds = (performance.now() - start) / 1000;
  const after = cpuOf(pids);
  const { stepMs, arrivals } = await handlers.report();

  const steps = runs * workload.steps;
  if (arrivals.length < steps) throw new Error(`${name}: ${steps} steps expected, ${arrivals.length} seen by the handler`);
  const cpuMsPerStepBy = Object.fromEntries(Object.keys(pids).map((who) => [who, round((after[who] - before[who]) / steps, 4)]));
  return {
    workload: name,
    inFlight,
    runs,
    steps,
    seconds: round(seconds, 2),
    stepsPerSecond: Math.round(steps / seconds),
    runsPerSecond: Math.round(runs / seconds),
    cpuMsPerStep: round(
      Object.values(cpuMsPerStepBy).reduce((sum, ms) => sum + ms, 0),
      4,
    ),
    cpuMsPerStepBy,
    stepP50Ms: quantile(stepMs, 0.5),
    stepP99Ms: quantile(stepMs, 0.99),
    runP50Ms: quantile(runMs, 0.5),
    runP99Ms: quantile(runMs, 0.99),
    fsyncLimitPerSecond: fsyncLimit,
    ...(name === 'W5' ? tenths(arrivals.slice(-workload.steps)) : {}),
  };
}

const cpuOf = (pids) => Object.fromEntries(Object.entries(pids).map(([who, pid]) => [who, cpuMs(pid)]));

/** Steps a second in the first and the last tenth of one run. */
function tenths(arrivals) {
  const tenth = Math.floor(arrivals.length / 10);
  const rate = (from, to) => Math.round(((to - from) * 1000) / (arrivals[to] - arrivals[from]));
  return { firstTenthPerSecond: rate(0, tenth), lastTenthPerSecond: rate(arrivals.length - 1 - tenth, arrivals.length - 1) };
}

function quantile(values, q) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))], 3);
}

const round = (value, digits) => Number(value.toFixed(digits));
