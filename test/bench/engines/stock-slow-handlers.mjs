// The handlers of `cairn-slow-handlers.mjs`, by the stock client: killed, too.
import { setTimeout as pause } from 'node:timers/promises';
import { SLOW_STEP_MS } from '../workloads.mjs';
import { serveQueues } from './stock.mjs';

const stop = await serveQueues({
  async 'bench-slow'({ step }) {
    process.send('step');
    await pause(SLOW_STEP_MS);
    return { output: { ok: true, step } };
  },
});
process.on('disconnect', () => void stop().then(() => process.exit(0)));
process.send('ready');
