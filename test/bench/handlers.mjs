// The handler process: returns at once, and notes when. Asked over IPC, it starts a new notebook or hands over what it noted.
import { handler, serve } from '@cairn/sdk';

/** Places for tasks: more than are ever in flight, so that the handler is never what a step waits for. */
const CONCURRENCY = 1_024;

let lastByRun = new Map();
let stepMs = [];
/** When each step of the measured run came, where there is one run alone. */
let arrivals = [];

const work = handler('bench', { concurrency: CONCURRENCY }, (task) => {
  const now = performance.now();
  const run = task.run;
  const last = lastByRun.get(run);
  if (last !== undefined) stepMs.push(now - last);
  arrivals.push(now);
  lastByRun.set(run, now);
  return { ok: true, step: task.step, score: 0.44, listVersion: '2026-11-22' };
});

/** Fails the first two attempts of every run, as a broken connection does. */
const flaky = handler('bench-flaky', { concurrency: CONCURRENCY }, (task) => {
  arrivals.push(performance.now());
  if (task.attempt < 3) throw task.failure({ code: 'ECONNRESET', message: 'socket hang up' });
  return { ok: true };
});

const worker = serve({ name: 'bench', signals: false }, [work, flaky]);

process.on('message', (message) => {
  if (message === 'begin') {
    lastByRun = new Map();
    stepMs = [];
    arrivals = [];
    process.send('begun');
  } else if (message === 'report') {
    process.send({ stepMs, arrivals });
  }
});
process.on('disconnect', () => void worker.stop().then(() => process.exit(0)));
process.send('ready');
