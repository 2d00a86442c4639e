import { waitFor } from '../wait-for.mjs';
import { seconds } from './figures.mjs';

/** W6: the handler process is killed when half of the steps have begun, and another is started at once. */
export const lostHandlers = (how) =>
  losing(how, async ({ engine, slow, onStep }) => {
    await slow.kill();
    const killed = performance.now();
    return { killed, slow: await engine.slowHandlers(onStep) };
  });

/** W8: the same, with the server instead. Its handlers stay, and so do the clients, who ask again. */
export const lostServer = (how) =>
  losing(how, async ({ engine, slow }) => {
    await engine.killServer();
    const killed = performance.now();
    await engine.startServer();
    return { killed, slow };
  });

async function losing({ workload, inFlight, runs, engine }, lose) {
  const client = engine.client(inFlight + 1);
  let begun = 0;
  const onStep = () => void begun++;
  const steps = runs * workload.steps;
  let slow = await engine.slowHandlers(onStep);
  try {
    await client.apply(workload.flow);
    const start = performance.now();
    const ids = await Promise.all(Array.from({ length: runs }, (_, n) => client.start(workload.flow, { vendor: `V-${n}` })));
    const all = Promise.allSettled(ids.map((id) => client.ended(id)));
    await waitFor('half of the steps', async () => begun * 2 >= steps);
    const lost = await lose({ engine, slow, onStep });
    slow = lost.slow;
    const restarted = performance.now();
    const outcomes = await all;
    const done = performance.now();
    return {
      steps,
      seconds: seconds(done - start),
      secondsToRestart: seconds(restarted - lost.killed),
      secondsFromRestart: seconds(done - restarted),
      secondsFromKill: seconds(done - lost.killed),
      lostRuns: outcomes.filter(({ status }) => status === 'rejected').length,
      stepsRunAgain: begun - steps,
    };
  } finally {
    client.close();
    await slow.release();
  }
}
