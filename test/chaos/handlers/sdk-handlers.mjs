// The work of the chaos cases by the SDK, over HTTP or the bus as the environment says. Queues end in `-sdk`.
import { handler, serve } from '@cairn/sdk';
import { reached } from './crash.mjs';
import { work } from './work.mjs';

const handlers = Object.entries(work).map(([name, act]) =>
  handler(`${name}-sdk`, { concurrency: 64 }, (task) => {
    reached('received');
    return act(task.input, task.attempt, task.effect);
  }),
);
await serve({ data: process.env.CAIRN_DATA, name: 'chaos-sdk' }, handlers);
console.log('ready');
