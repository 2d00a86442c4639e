import { Client } from './client.mjs';
import { fsyncLimitPerSecond } from './machine.mjs';
import { startSlowHandlers } from './processes.mjs';

/** How often it is looked whether half of the work is done. */
const LOOK_MS = 5;

/** W6: the handler process is killed when half of the steps are done, and another is started at once. */
export async function loseHandlers({ name, workload, inFlight, runs, server, data, folder }) {
  const fsyncLimit = fsyncLimitPerSecond(folder);
  const client = new Client({ ...server, inFlight: inFlight + 1 });
  let handlers = await startSlowHandlers(data);
  try {
    await client.apply(workload.definition);
    const start = performance.now();
    const runIds = await Promise.all(Array.from({ length: runs }, (_, i) => client.start(workload.definition.name, { vendor: `V-${i}` })));
    const ends = runIds.map((runId) => client.ended(runId));
    const all = Promise.allSettled(ends);
    await halfDone(client, runIds[Math.floor(runs / 2)], workload.steps);
    await handlers.kill();
    const killed = performance.now();
    handlers = await startSlowHandlers(data);
    const restarted = performance.now();
    const outcomes = await all;
    const done = performance.now();
    const histories = await Promise.all(runIds.map((runId) => client.history(runId)));
    const starts = histories.flat().filter(({ type }) => type === 'StepStarted').length;
    return {
      workload: name,
      inFlight,
      runs,
      steps: runs * workload.steps,
      seconds: seconds(done - start),
      secondsToRestart: seconds(restarted - killed),
      secondsFromRestart: seconds(done - restarted),
      secondsFromKill: seconds(done - killed),
      lostRuns: outcomes.filter(({ status }) => status === 'rejected').length,
      stepsRunAgain: starts - runs * workload.steps,
      fsyncLimitPerSecond: fsyncLimit,
    };
  } finally {
    client.close();
    await handlers.kill();
  }
}

/** Half of one run's steps are done: all run side by side, so it speaks for them. */
async function halfDone(client, runId, steps) {
  for (;;) {
    const done = (await client.history(runId)).filter(({ type }) => type === 'StepSucceeded').length;
    if (done * 2 >= steps) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const seconds = (ms) => Number((ms / 1000).toFixed(2));
