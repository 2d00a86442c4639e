import type { ReviewCommandMessage } from '@cairn/contracts';
import { reviewStream, type JsonObject } from '@cairn/kernel';
import type { IncomingMessage } from '@cairn/ports';
import type { World } from '../world/world.js';

/** human-review's part of the planted bugs: it takes a decision for one about what is asked now, whatever it is about. */
export function heardWithMutant(world: World, message: IncomingMessage): IncomingMessage {
  if (!world.has('M-16')) return message;
  const { reviewId, data } = message.body as unknown as ReviewCommandMessage;
  const subjectDigest = world.store.allStreams().get(reviewStream(reviewId))?.[0]?.data['subjectDigest'];
  if (subjectDigest === undefined) return message;
  return { ...message, body: { ...message.body, data: { ...data, subjectDigest } as JsonObject } };
}
