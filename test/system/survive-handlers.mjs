// The handlers of survive.spec.ts: deterministic, so that outputs can be compared over crashes.
import { handler, serve } from '@cairn/sdk';

const add = handler('survive', { concurrency: 16 }, (task) => ({ sum: task.input.n + 1, step: task.step }));
const poll = handler('survive-poll', {}, (task) => ({ done: task.step.endsWith('#3') }));

/** Fails the first attempt, as a broken connection does. */
const flaky = handler('survive-flaky', { concurrency: 16 }, (task) => {
  if (task.attempt === 1) throw task.failure({ code: 'ECONNRESET', message: 'socket hang up' });
  return { ok: true };
});

/** A target that honours keys, and counts. With guarantee `none` the count may never exceed 1; else the bookings may not. */
const requests = new Map();
const bookings = new Map();
const pay = handler('survive-pay', { concurrency: 16 }, (task) => {
  const { key, guarantee } = task.effect;
  requests.set(key, (requests.get(key) ?? 0) + 1);
  if (!bookings.has(key)) bookings.set(key, `B-${task.step}`);
  return { booking: bookings.get(key), asked: guarantee === 'none' ? requests.get(key) : 'at least once' };
});

await serve({ data: process.argv[2], name: 'survive' }, [add, poll, flaky, pay]);
console.log('ready');
