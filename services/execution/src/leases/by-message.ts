import type { ClaimRequest, ClaimResponse } from '@cairn/contracts';
import type { Clock } from '@cairn/ports';
import type { Books } from './books.js';
import { askedNonce, type ClaimAnswer } from './claim.js';
import { isOut } from './entry.js';
import { POLLER } from './polls.js';
import { handlerName } from './reply.js';
import type { Entry } from './session.js';
import type { Task } from './task.js';

export interface ByMessageOptions {
  readonly clock: Clock;
  readonly books: Books;
  readonly claim: (task: Task, handler: string, nonce: string) => Promise<ClaimAnswer>;
  readonly fresh: () => string;
}

/** What handlers without a session say: that they have taken a task, are at it still, or ask whether they may act. */
export class ByMessage {
  constructor(private readonly options: ByMessageOptions) {}

  /** Its lease runs from now. `false`: the attempt is not open any more. */
  lives(attemptId: string, said: string | undefined): boolean {
    const { books, clock } = this.options;
    const entry = books.get(attemptId);
    if (entry === undefined) return false;
    if (entry.task.claim && entry.grantedTo === undefined) return true; // Open, but not with whoever says this.
    const now = clock.monotonicMs();
    const handler = said === undefined ? POLLER : handlerName(said);
    if (entry.phase !== 'given')
      books.markGiven(entry, undefined, handler, now); // Known to be with somebody after all.
    else {
      entry.shared ||= said !== undefined && entry.holder !== undefined && entry.holder !== handler;
      entry.renewedAt = now;
    }
    return true;
  }

  /** Whether the handler may act. Resolves after the append; rejects with a fault: the claim may stand or not. */
  async claim(entry: Entry, request: ClaimRequest): Promise<ClaimResponse> {
    const { books, clock } = this.options;
    const handler = handlerName(request.handler ?? 'unknown');
    if (!entry.task.claim) {
      if (isOut(entry)) return { granted: false, because: 'taken' };
      books.markGiven(entry, undefined, handler, clock.monotonicMs());
      return { granted: true };
    }
    const nonce = askedNonce(request.nonce ?? this.options.fresh());
    const answer = await this.options.claim(entry.task, handler, nonce);
    if (answer.kind === 'not_now') return { granted: false, because: 'paused' };
    if (answer.kind !== 'granted') return { granted: false, because: answer.kind };
    if (!books.isOpen(entry)) return { granted: true };
    if (entry.grantedTo === nonce && isOut(entry))
      entry.renewedAt = clock.monotonicMs(); // The answer was lost.
    else books.markGiven(entry, undefined, handler, clock.monotonicMs());
    entry.grantedTo = nonce;
    entry.doubtful = undefined;
    return { granted: true };
  }
}
