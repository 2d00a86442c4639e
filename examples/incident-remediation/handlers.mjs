import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { handler, serve } from '@cairn/sdk';

/** Production: a line for each thing that was done to it, its key first. */
const production = process.env.PRODUCTION_LOG ?? 'production.log';
const lines = () => (existsSync(production) ? readFileSync(production, 'utf8').trimEnd().split('\n').filter(Boolean) : []);
const doneUnder = (key) => lines().find((line) => line.startsWith(`${key} `));

const diagnosis = handler('diagnosis', ({ input }) => {
  console.log(`diagnose ${input.service}`);
  return { action: 'restart', because: 'its memory grows since the last release' };
});

/** Acts once per grant. It is not idempotent: nothing here asks whether it was done before. */
const remediation = handler('remediation', async (task) => {
  const { service, action } = task.input;
  appendFileSync(production, `${task.idempotencyKey} ${action} ${service}\n`);
  console.log(`remediate: ${action} ${service}, says so in ${task.params.takesMs} ms`);
  await pause(task.params.takesMs);
  return { action, service };
});

/** Looks it up where nobody knows. */
const log = handler('remediation-log', (task) => {
  const done = doneUnder(task.effect.key);
  console.log(`remediation-log: ${done ?? 'nothing'}`);
  if (done === undefined) return { found: false };
  const [, action, service] = done.split(' ');
  return { found: true, result: { action, service } };
});

/** What has been done is undone: by hand, with `cairn effect compensate`. */
const undo = handler('remediation-undo', (task) => {
  appendFileSync(production, `${task.effect.key}:undo roll-back ${task.input.service}\n`);
  return { undone: true };
});

const reports = handler('reports', ({ input }) => ({ text: `${input.incident}: ${input.did.action} ${input.did.service}` }));

const worker = serve({}, [diagnosis, remediation, log, undo, reports]);
console.log(`ready, process ${process.pid}, session ${worker.session.slice(-8)}; Ctrl-C drains and ends`);
