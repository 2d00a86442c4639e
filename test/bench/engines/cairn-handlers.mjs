// The handler process of all workloads but those that kill it.
import { handler, serve } from '@cairn/sdk';
import { came, serveNotes } from '../notebook.mjs';

/** Places for tasks: more than are ever in flight, so that the handler is never what a step waits for. */
const CONCURRENCY = 1_024;

const work = handler('bench', { concurrency: CONCURRENCY }, (task) => {
  came(task.run);
  return { ok: true, step: task.step, score: 0.44, listVersion: '2026-11-22' };
});

/** Fails the first two attempts of every run, as a broken connection does. */
const flaky = handler('bench-flaky', { concurrency: CONCURRENCY }, (task) => {
  came(task.run);
  if (task.attempt < 3) throw task.failure({ code: 'ECONNRESET', message: 'socket hang up' });
  return { ok: true };
});

const worker = serve({ name: 'bench', signals: false }, [work, flaky]);
serveNotes(() => worker.stop());
process.send('ready');
