// A handler process without any package of Cairn: the stock NATS client, one message a task, one message a reply
// (the card of `examples/nats-handler`). Nothing here takes a second, so a task is acknowledged once its reply is stored.
import { setTimeout as pause } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** Tasks that lie here unfinished at most: more than are ever in flight. */
const HELD_MAX = 1_024;
const AGAIN_MS = 200;

/** Serves queues until `stop`. Each function gets the task's data and gives `{output}` or `{failure}`. */
export async function serveQueues(queues) {
  const nats = await connect({ servers: process.env.CAIRN_NATS_URL, maxReconnectAttempts: -1, waitOnFirstConnect: true });
  const js = jetstream(nats);
  const open = await Promise.all(
    Object.entries(queues).map(async ([queue, work]) => {
      const consumer = await js.consumers.get('CAIRN_WORK', `default__${queue}`);
      return consumer.consume({ max_messages: HELD_MAX, callback: (message) => void take(message, work).catch(tell) });
    }),
  );

  async function take(message, work) {
    const task = message.json();
    const done = await work({ ...task.data, run: task.cairnrun });
    const kind = done.failure === undefined ? 'succeeded' : 'failed';
    const id = `${task.data.lease.attemptId}:end`;
    const reply = { specversion: '1.0', id, type: `cairn.reply.${kind}.v1`, source: '/bench', cairnrun: task.cairnrun };
    await deliver(task.data.replyTo, JSON.stringify({ ...reply, data: { lease: task.data.lease, ...done } }), id);
    message.ack();
  }

  /** Until the server has it: a reply that is lost is work done for nothing. */
  async function deliver(subject, text, id) {
    for (;;) {
      try {
        return await js.publish(subject, text, { msgID: id });
      } catch {
        await pause(AGAIN_MS);
      }
    }
  }

  return async () => {
    for (const messages of open) messages.stop();
    await nats.drain();
  };
}

const tell = (error) => process.stderr.write(`stock handler: ${error.message}\n`);
