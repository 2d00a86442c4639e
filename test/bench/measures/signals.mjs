import { park } from './parking.mjs';
import { inLanes, quantile, round } from './figures.mjs';

/** One by one: enough for a p99. */
const ONE_BY_ONE = 300;

/** W3: runs wait; a client that already waits for a run's result sends it on. From sending to result. */
export async function signals({ workload, inFlight, runs: many, engine }) {
  const runs = inFlight === 1 ? Math.min(many, ONE_BY_ONE) : many;
  const client = engine.client(2 * inFlight + 256);
  try {
    await client.apply(workload.flow);
    const ids = await park({ client, flow: workload.flow, runs });
    const durations = [];
    const start = performance.now();
    await inLanes(runs, inFlight, async (n) => {
      const result = client.ended(ids[n]);
      const sent = performance.now();
      await Promise.all([result, client.wake(ids[n])]);
      durations.push(performance.now() - sent);
    });
    const took = (performance.now() - start) / 1000;
    return {
      runs,
      steps: runs,
      seconds: round(took, 2),
      runsPerSecond: Math.round(runs / took),
      runP50Ms: quantile(durations, 0.5),
      runP99Ms: quantile(durations, 0.99),
    };
  } finally {
    client.close();
  }
}
