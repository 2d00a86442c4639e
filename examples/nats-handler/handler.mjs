// A whole handler on the stock NATS client, without any package of Cairn. The numbers are those of the card in the README.
import { appendFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const ns = process.env.CAIRN_NS ?? 'default';
const me = `parcels/${process.pid}`;

/** Yours: what is done for the tasks of each queue. Whatever is thrown becomes a failed reply. */
const queues = {
  async weighing({ input, params }) {
    await pause(params.pauseMs);
    if (!(input.items > 0)) throw new Error('an empty parcel weighs nothing');
    return { grams: 120 + 80 * input.items };
  },
  async shipping({ input, effect }) {
    appendFileSync(process.env.SHIPPED_IN ?? 'shipped.txt', `${effect.key} ${input.grams}\n`); // The world outside.
    return { label: `L-${input.order}` };
  },
};

const servers = (process.env.CAIRN_NATS_URL ?? 'nats://127.0.0.1:4222').split(',');
const nats = await connect({ servers, name: me, maxReconnectAttempts: -1, waitOnFirstConnect: true });
const js = jetstream(nats);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopping = true));
const serving = Object.entries(queues).map(([queue, work]) => serve(queue, work));
console.log(`serving ${Object.keys(queues).join(', ')} as ${me}; Ctrl-C ends it`);
await Promise.all(serving);
await nats.drain();

/** One task at a time: what is pulled and not worked on would be given to another. Call it n times for n at once. */
async function serve(queue, work) {
  while (!stopping) {
    try {
      const consumer = await js.consumers.get('CAIRN_WORK', `${ns}__${queue}`); // Bound, never made: `def apply` made it.
      while (!stopping) {
        const message = await consumer.next({ expires: 2_000 });
        if (message !== null) await take(message, work);
      }
    } catch (error) {
      console.error(`${queue}: ${error.message}`); // The server is away, or the queue is not there yet.
      await pause(1_000);
    }
  }
}

async function take(message, work) {
  const task = taskIn(message);
  if (task === undefined) return message.term();
  const { leaseMs, claim } = task.data;
  say(task, 'started', { handler: me }); // 1. Lease and timeout run from here…
  message.ack(); // …and nobody is sent the task while we beat.
  console.log(`${task.subject} of ${task.cairnrun}: taken`);
  const beats = setInterval(() => say(task, 'heartbeat', {}), leaseMs / 3);
  try {
    if (claim && !(await claimed(task))) return console.log(`${task.subject}: is another's`);
    const [kind, data] = await outcomeOf(work, task);
    await deliver(task, kind, data);
    console.log(`${task.subject} of ${task.cairnrun}: ${kind}`);
  } finally {
    clearInterval(beats);
  }
}

/** 3. Only `granted` permits the act. The nonce makes it safe to ask again: the same question has the same answer. */
async function claimed({ data: { lease, replyTo } }) {
  const question = JSON.stringify({ lease, handler: me, nonce: randomUUID() });
  for (;;) {
    try {
      const answer = (await nats.request(replyTo.replace('.reply.', '.claim.'), question, { timeout: 2_000 })).json();
      if (answer.because !== 'paused') return answer.granted === true;
    } catch (error) {
      console.error(`claim: ${error.message}`); // No answer is no permission.
    }
    await pause(500);
  }
}

/** 4. A failure says what it did outside if it knows: on an effect, silence means unknown. */
async function outcomeOf(work, task) {
  try {
    return ['succeeded', { output: (await work(task.data)) ?? null }];
  } catch ({ code, name, message, sideEffect }) {
    return ['failed', { failure: { code: String(code ?? name), message: String(message).slice(0, 2_048), sideEffect } }];
  }
}

/** 2. The one terminal reply of an attempt, until the server has it: one that is lost is work done for nothing. */
async function deliver(task, kind, data) {
  const id = `${task.data.lease.attemptId}:end`;
  for (;;) {
    try {
      return await js.publish(task.data.replyTo, replyText(task, kind, id, data), { msgID: id });
    } catch (error) {
      console.error(`reply: ${error.message}`);
      await pause(500);
    }
  }
}

/** What is only for the moment. */
function say(task, kind, data) {
  nats.publish(task.data.replyTo, replyText(task, kind, `${task.data.lease.attemptId}:${kind}`, data));
}

/** 1. The lease is echoed as it came. */
function replyText({ cairnrun, data: { lease } }, kind, id, data) {
  const type = `cairn.reply.${kind}.v1`;
  return JSON.stringify({ specversion: '1.0', id, type, source: `/${me}`, cairnrun, data: { lease, ...data } });
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
