// The handler process that is killed: each step takes its time, as many beside each other as there are runs.
import { setTimeout as pause } from 'node:timers/promises';
import { handler, serve } from '@cairn/sdk';
import { SLOW_STEP_MS } from '../workloads.mjs';

const slow = handler('bench-slow', { concurrency: 1_024 }, async (task) => {
  process.send('step');
  await pause(SLOW_STEP_MS);
  return { ok: true, step: task.step };
});

const worker = serve({ name: 'bench-slow', signals: false }, [slow]);
process.on('disconnect', () => void worker.stop().then(() => process.exit(0)));
process.send('ready');
