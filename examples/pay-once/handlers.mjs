import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { handler, serve } from '@cairn/sdk';

/** The world outside: a line for each booking, its key first. */
const book = process.env.BOOKED_IN ?? 'booked.txt';
const lines = () => (existsSync(book) ? readFileSync(book, 'utf8').split('\n') : []);
/** The number of the line that a key has, 0 without one. */
const bookingOf = (key) => lines().findIndex((line) => line.startsWith(`${key} `)) + 1;

/** Busy twice, as a provider says it. What it said is handed on; the policy judges it. */
const quotes = handler('quotes', (task) => {
  console.log(`quote: attempt ${task.attempt}`);
  if (task.input.cents <= 0) throw new Error('the scales show nothing');
  if (task.attempt > 2) return { cents: task.input.cents };
  throw task.failure({ code: 429, message: 'busy', details: { headers: { 'retry-after': '1' } } });
});

/** Books under the key that every attempt brings, and only what is not booked yet: that makes the target idempotent. */
const payments = handler('payments', async (task) => {
  const key = task.idempotencyKey;
  if (bookingOf(key) > 0) {
    console.log(`pay: ${key} is booked already`);
    return { booking: bookingOf(key) };
  }
  appendFileSync(book, `${key} ${task.input.cents}\n`);
  console.log(`pay: booked ${key}, says so in ${task.params.pauseMs} ms`);
  await pause(task.params.pauseMs);
  return { booking: bookingOf(key) };
});

const worker = serve({}, [quotes, payments]);
console.log(`ready, process ${process.pid}, session ${worker.session.slice(-8)}; Ctrl-C drains and ends`);
