import { folderBytes, memoryBytes } from '../machine.mjs';
import { waitFor } from '../wait-for.mjs';
import { inLanes, round, seconds } from './figures.mjs';

/** Starts at a time where runs are only put to wait. */
export const PARKING_LANES = 256;

/** Starts runs that wait, until the engine says that all do. Their ids. */
export async function park({ client, flow, runs, lanes = PARKING_LANES }) {
  const before = await client.waiting();
  const ids = [];
  await inLanes(runs, lanes, async (n) => void ids.push(await client.start(flow, { vendor: `V-${n}` })));
  await waitFor('all runs wait', async () => (await client.waiting()) >= before + runs);
  return ids;
}

/** W4: seconds until all runs wait, and what they take up on disk and in memory. */
export async function parking({ workload, inFlight, runs, engine }) {
  const client = engine.client(inFlight + 1);
  try {
    await client.apply(workload.flow);
    const before = takenUp(engine);
    const start = performance.now();
    await park({ client, flow: workload.flow, runs, lanes: inFlight });
    const took = performance.now() - start;
    const after = takenUp(engine);
    const diskBy = Object.fromEntries(
      Object.entries(after.disk)
        .map(([part, bytes]) => [part, Math.round((bytes - (before.disk[part] ?? 0)) / runs)])
        .filter(([, bytes]) => bytes !== 0),
    );
    return {
      seconds: seconds(took),
      runsPerSecond: Math.round((runs * 1000) / took),
      diskBytesPerRun: sumOf(diskBy),
      diskBytesPerRunBy: diskBy,
      memoryMb: after.memoryMb,
      memoryMbMore: Object.fromEntries(
        Object.keys(after.memoryMb).map((who) => [who, round(after.memoryMb[who] - before.memoryMb[who], 1)]),
      ),
    };
  } finally {
    client.close();
  }
}

const sumOf = (parts) => Object.values(parts).reduce((sum, part) => sum + part, 0);

function takenUp(engine) {
  const memoryOf = (pids) => round(pids.reduce((sum, pid) => sum + memoryBytes(pid), 0) / 1_048_576, 1);
  const memoryMb = Object.fromEntries(Object.entries(engine.pids()).map(([who, pids]) => [who, memoryOf(pids)]));
  return { disk: folderBytes(engine.data), memoryMb };
}
