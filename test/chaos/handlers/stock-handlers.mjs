// The work of the chaos cases after the card of `capabilities.md` §4, by nothing but a connection to NATS: not even a JetStream library.
// Queues end in `-stock`.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connectNats } from '@cairn/bus-jetstream';
import { systemClock, systemRandomness } from '@cairn/system';
import { reached } from './crash.mjs';
import { work } from './work.mjs';

const me = `chaos-stock/${process.pid}`;
/** Tasks of a queue at the same time. */
const AT_ONCE = 16;
/** Work that takes longer is told of, acknowledged and kept alive by beats (rule 1 of the card). */
const LONG_MS = 800;
const AGAIN_MS = 200;
const PULL_MS = 5_000;
const ANSWER_MS = 2_000;

const nats = await connectNats({ servers: process.env.CAIRN_NATS_URL, name: me, clock: systemClock, randomness: systemRandomness });
for (const name of Object.keys(work)) for (let i = 0; i < AT_ONCE; i++) void serve(name);
console.log('ready');

async function serve(name) {
  for (;;) {
    const message = await next(`default__${name}-stock`);
    if (message === undefined) await pause(AGAIN_MS);
    else if (message.data.length > 0) await take(message, message.json(), work[name]); // Else there was none in time.
  }
}

/**
 * One task, an empty message if there is none in time, or `undefined` while server or queue are not there. It comes under the subject that
 * it was published on, so each pull has an inbox of its own.
 */
async function next(durable) {
  const pull = JSON.stringify({ batch: 1, expires: PULL_MS * 1_000_000 });
  try {
    return await nats.request(`$JS.API.CONSUMER.MSG.NEXT.CAIRN_WORK.${durable}`, pull, { timeout: PULL_MS + ANSWER_MS, noMux: true });
  } catch {
    return undefined;
  }
}

async function take(message, task, act) {
  reached('received');
  const { lease, claim, leaseMs, input, attempt, effect } = task.data;
  let beats;
  // Short work is acknowledged when it is done, so that another gets it where this process dies.
  const long = setTimeout(() => {
    say(task, 'started', { handler: me });
    nats.publish(message.reply, '+ACK');
    beats = setInterval(() => say(task, 'heartbeat', {}), leaseMs / 3);
  }, LONG_MS);
  try {
    if (!claim || (await claimed(task))) {
      const [kind, data] = await act(input, attempt, effect).then(
        (output) => ['succeeded', { output }],
        ({ code, message: says }) => ['failed', { failure: { code, message: says } }],
      );
      await deliver(task, replyText(task, kind, `${lease.attemptId}:end`, data));
      reached('replied');
    }
  } finally {
    clearTimeout(long);
    clearInterval(beats);
    nats.publish(message.reply, '+ACK');
  }
  await nats.flush().catch(() => undefined); // The server is away.
  reached('acked');
}

/** Until the server says that it has the reply. */
async function deliver(task, reply) {
  for (;;) {
    try {
      const answer = (await nats.request(task.data.replyTo, reply, { timeout: ANSWER_MS })).json();
      if (answer.error === undefined) return;
    } catch {
      // Nobody has it yet.
    }
    await pause(AGAIN_MS);
  }
}

async function claimed({ data: { lease, replyTo } }) {
  const question = JSON.stringify({ lease, handler: me, nonce: randomUUID() });
  for (;;) {
    try {
      const answer = (await nats.request(replyTo.replace('.reply.', '.claim.'), question, { timeout: ANSWER_MS })).json();
      if (answer.because !== 'paused') return answer.granted === true;
    } catch {
      // No answer is no permission.
    }
    await pause(AGAIN_MS);
  }
}

function say(task, kind, data) {
  nats.publish(task.data.replyTo, replyText(task, kind, `${task.data.lease.attemptId}:${kind}`, data));
}

function replyText({ cairnrun, data: { lease } }, kind, id, data) {
  const type = `cairn.reply.${kind}.v1`;
  return JSON.stringify({ specversion: '1.0', id, type, source: `/${me}`, cairnrun, data: { lease, ...data } });
}
