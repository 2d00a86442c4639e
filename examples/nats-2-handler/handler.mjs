// The shortest handler that keeps the card, on the old `nats` client (2.29): its work is done within a second, so it neither says
// `started` nor beats, and acknowledges the task last. For longer work, and for claims, see examples/nats-handler.
import { connect } from 'nats';
import { setTimeout as pause } from 'node:timers/promises';

const ns = process.env.CAIRN_NS ?? 'default';
const queue = 'slugs';

/** Yours. The last part of a page's address, from its title. */
function work({ title }) {
  const words = title.normalize('NFD').replace(/\p{Mark}/gu, '').toLowerCase().match(/[a-z0-9]+/g); // prettier-ignore
  if (words === null) throw new RangeError('nothing in the title can stand in an address');
  return { slug: words.join('-') };
}

const servers = (process.env.CAIRN_NATS_URL ?? 'nats://127.0.0.1:4222').split(',');
const nats = await connect({ servers, name: queue, maxReconnectAttempts: -1, waitOnFirstConnect: true });
const js = nats.jetstream();

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopping = true));
console.log(`serving ${queue}; Ctrl-C ends it`);
while (!stopping) {
  try {
    const consumer = await js.consumers.get('CAIRN_WORK', `${ns}__${queue}`); // Bound, never made: `def apply` made it.
    while (!stopping) {
      const message = await consumer.next({ expires: 2_000 });
      if (message !== null) await take(message);
    }
  } catch (error) {
    console.error(`${queue}: ${error.message}`); // The server is away, or the queue is not there yet. What was not acknowledged comes again.
    await pause(1_000);
  }
}
await nats.drain();

/** One terminal reply, whose acknowledgement is awaited; then the task is acknowledged. In this order nothing is lost between the two. */
async function take(message) {
  const task = taskIn(message);
  if (task === undefined) return message.term();
  const { data, cairnrun, subject } = task;
  const id = `${data.lease.attemptId}:end`;
  const [kind, outcome] = outcomeOf(data.input);
  const reply = { specversion: '1.0', id, source: `/${queue}`, type: `cairn.reply.${kind}.v1`, cairnrun, data: { lease: data.lease, ...outcome } }; // prettier-ignore
  await js.publish(data.replyTo, JSON.stringify(reply), { msgID: id });
  message.ack();
  console.log(`${subject} of ${cairnrun}: ${kind}`);
}

function outcomeOf(input) {
  try {
    return ['succeeded', { output: work(input) }];
  } catch ({ name, message }) {
    return ['failed', { failure: { code: name, message: message.slice(0, 2_048), sideEffect: 'none' } }];
  }
}

/** The task, or `undefined` if somebody put something else into the queue: there is nobody to reply to. */
function taskIn(message) {
  try {
    const task = message.json();
    return typeof task.data.replyTo === 'string' && task.data.lease ? task : undefined;
  } catch {
    return undefined;
  }
}
