import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsyncLimitPerSecond } from './machine.mjs';
import { measures } from './measures/index.mjs';
import { drive } from './measures/throughput.mjs';
import { warmUp, workloads } from './workloads.mjs';

/** What has to be ended when the bench is: the engine that runs now. */
let running;

/** One engine from an empty folder to its end: warmed up, then every workload. Its rows. */
export async function round({ engine, names, inFlight, runs, warmUpSteps, profile, note }) {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    running = await engine.start(folder, { profile });
    note(`${engine.name}: warming up, ${warmUpSteps} steps`);
    await drive({ engine: running, flow: warmUp.flow, inFlight: warmUp.inFlight, runs: Math.ceil(warmUpSteps / warmUp.steps) });
    const rows = [];
    for (const name of names) {
      const workload = workloads[name];
      for (const many of inFlight === undefined ? workload.inFlight : [inFlight]) {
        note(`${engine.name}: ${name}, ${many} in flight: ${workload.says}`);
        const fsyncLimit = fsyncLimitPerSecond(folder);
        const asked = { name, workload, inFlight: many, runs: runs ?? workload.runs, engine: running };
        const measured = await measures[workload.take](asked);
        rows.push({
          engine: engine.name,
          workload: name,
          inFlight: many,
          runs: asked.runs,
          ...measured,
          fsyncLimitPerSecond: fsyncLimit,
          durability: engine.durability,
        });
      }
    }
    return rows;
  } finally {
    await endRunning();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function endRunning() {
  const engine = running;
  running = undefined;
  await engine?.stop();
}
