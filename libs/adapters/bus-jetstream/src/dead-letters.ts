import type { JsonObject } from '@cairn/kernel';
import type { Delivery } from './delivery.js';
import type { Publisher } from './publish.js';
import type { PullTarget } from './pull.js';
import { deadSubject } from './subjects.js';

/** Bytes of a dead message that its letter quotes: enough to recognise it, too few to smuggle anything. */
export const EXCERPT_BYTES_MAX = 2_048;
const REASON_MAX = 1_000;

/** Body of `cairn.<ns>.dead.<durable>`. */
export interface DeadLetter {
  readonly durable: string;
  readonly busStream: string;
  readonly sequence: number;
  readonly subject: string;
  /** Of the message, if it could be read. */
  readonly id: string;
  readonly reason: string;
  readonly deliveries: number;
  readonly bytes: number;
  /** The beginning of the body, as text; bytes that are not UTF-8 are replaced. */
  readonly excerpt: string;
}

/** Publishes the dead letter; the same one however often. Whoever calls it ends the message only after that. */
export async function bury(publisher: Publisher, target: PullTarget, delivery: Delivery, id: string, reason: string): Promise<DeadLetter> {
  const { subject, data } = delivery.message;
  const letter: DeadLetter = {
    durable: target.durable,
    busStream: target.busStream,
    sequence: delivery.sequence,
    subject,
    id: id.slice(0, REASON_MAX),
    reason: reason.slice(0, REASON_MAX),
    deliveries: delivery.deliveries,
    bytes: data.length,
    excerpt: Buffer.from(data.subarray(0, EXCERPT_BYTES_MAX)).toString('utf8'),
  };
  const body: JsonObject = { ...letter };
  await publisher.publish({
    subject: deadSubject(subject, target.durable),
    id: `${target.durable}.${target.busStream}.${delivery.sequence}`,
    body,
  });
  return letter;
}
