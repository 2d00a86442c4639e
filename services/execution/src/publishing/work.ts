import { subjects, type CloudEvent, type ReplyData } from '@cairn/contracts';
import { partitionOf, type Id, type JsonObject } from '@cairn/kernel';
import type { OutgoingMessage } from '@cairn/ports';
import type { Task } from '../leases/task.js';

/** A task as a message to whoever takes tasks of its queue. Its id differs with each ring: a bus swallows one that it has had, taken or not. */
export function taskMessage({ ns, queue, attemptId, event, leaseMs }: Task, ring: number): OutgoingMessage {
  return { subject: subjects.work(ns, queue), id: `${attemptId}:${ring}`, body: event as unknown as JsonObject, expiresMs: leaseMs };
}

/** A reply as it goes on to the replica that serves its run, under the id that its handler gave it. */
export function replyMessage(ns: string, runId: Id, reply: CloudEvent<ReplyData>): OutgoingMessage {
  const body = { ...reply, cairnns: ns, cairnrun: runId };
  return { subject: subjects.reply(ns, partitionOf(runId)), id: reply.id, body: body as unknown as JsonObject };
}
