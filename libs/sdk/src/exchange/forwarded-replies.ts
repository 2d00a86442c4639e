import type { Id } from '@cairn/kernel';
import type { Reply } from './reply.js';

/** Characters of replies that are kept, oldest forgotten first: what a busy session forwards in the time that a bus may take to lose it. */
const KEPT_CHARS_MAX = 4 * 1_048_576;

/**
 * Replies that were left to the bus, which may lose them with all that it holds. Whoever is given such an attempt again has its answer
 * already, and sends that instead of working twice.
 */
export class ForwardedReplies {
  private readonly kept = new Map<Id, Reply>();
  private chars = 0;

  add(reply: Reply): void {
    this.take(reply.attemptId);
    this.kept.set(reply.attemptId, reply);
    this.chars += reply.text.length;
    for (const [oldest] of this.kept) {
      if (this.chars <= KEPT_CHARS_MAX) break;
      this.take(oldest);
    }
  }

  /** The reply to an attempt, which is forgotten. */
  take(attemptId: Id): Reply | undefined {
    const reply = this.kept.get(attemptId);
    if (reply === undefined) return undefined;
    this.kept.delete(attemptId);
    this.chars -= reply.text.length;
    return reply;
  }
}
