// The handlers of survive.spec.ts: deterministic, so that outputs can be compared over crashes.
import { handler, serve } from '@cairn/sdk';

const add = handler('survive', { concurrency: 16 }, (task) => ({ sum: task.input.n + 1, step: task.step }));
const poll = handler('survive-poll', {}, (task) => ({ done: task.step.endsWith('#3') }));

await serve({ data: process.argv[2], name: 'survive' }, [add, poll]);
console.log('ready');
