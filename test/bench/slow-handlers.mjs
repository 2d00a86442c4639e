// The handler process of W6: each step takes 20 ms, as many beside each other as there are runs. It is killed without a word.
import { setTimeout as pause } from 'node:timers/promises';
import { handler, serve } from '@cairn/sdk';

const STEP_MS = 20;

const slow = handler('bench-slow', { concurrency: 1_024 }, async (task) => {
  await pause(STEP_MS);
  return { ok: true, step: task.step };
});

serve({ name: 'bench-slow', signals: false }, [slow]);
process.send('ready');
