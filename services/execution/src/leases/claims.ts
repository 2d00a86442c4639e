import type { Id } from '@cairn/kernel';
import type { Clock, Metrics } from '@cairn/ports';
import type { Assignment } from './assignment.js';
import type { Books } from './books.js';
import { isPollNonce, pollNonce, type ClaimAnswer } from './claim.js';
import { isOut } from './entry.js';
import type { Entry, Session } from './session.js';
import type { Task } from './task.js';

/** After a claim that got no answer, or whose run is paused, it is asked for again after this pause. */
const CLAIM_AGAIN_MS = 250;

export interface ClaimsOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Asks the run's driver. Resolves after the append; rejects with a fault: the claim may stand or not. */
  readonly claim: (task: Task, handler: string, nonce: string) => Promise<ClaimAnswer>;
  /** A fresh text that nobody can guess. */
  readonly fresh: () => string;
}

export interface ClaimsParts {
  readonly books: Books;
  readonly assignment: Assignment;
  /** The session if it lives. */
  readonly sessionOf: (id: Id) => Session | undefined;
}

/**
 * Tasks that must be claimed, on their way to whoever may have them. Each leaves only with a grant on record; what is on record for
 * somebody is for nobody else ever (`architecture.md` §4.2, I-17).
 */
export class Claims {
  constructor(
    private readonly options: ClaimsOptions,
    private readonly parts: ClaimsParts,
  ) {}

  /** The entry is the session's: it is put into its outbox once the claim is granted. */
  async forSession(entry: Entry, { id, handler }: Session): Promise<void> {
    const answer = await this.ask(entry, handler, id);
    if (!this.parts.books.isOpen(entry)) return;
    if (answer.kind !== 'granted') return this.notGranted(entry, answer);
    const session = this.parts.sessionOf(id);
    if (session === undefined) return this.parts.books.lapse(entry, 'lease', 'its session ended before the task had left');
    if (entry.session !== session) session.assign(entry);
    session.outbox.push(entry);
    session.release?.();
  }

  /** Those of the entries that may leave with the answer of a poll. */
  async forPoll(taken: readonly Entry[], handler: string): Promise<Entry[]> {
    const granted = await Promise.all(
      taken.map(async (entry) => {
        if (!entry.task.claim) return true;
        const answer = await this.ask(entry, handler, this.nonceOfPoll(entry));
        if (answer.kind !== 'granted' && this.parts.books.isOpen(entry)) this.notGranted(entry, answer);
        return answer.kind === 'granted';
      }),
    );
    return taken.filter((_, i) => granted[i]);
  }

  /** Never rejects: no answer is `not_now`. */
  private async ask(entry: Entry, handler: string, nonce: string): Promise<ClaimAnswer> {
    entry.claiming = true;
    try {
      const answer = await this.options.claim(entry.task, handler, nonce);
      if (answer.kind === 'granted') {
        entry.grantedTo = nonce;
        entry.doubtful = undefined;
      }
      if (answer.kind === 'taken') entry.grantedTo = answer.nonce;
      return answer;
    } catch {
      entry.doubtful = nonce;
      this.options.metrics.count('cairn_claim_faults_total');
      return { kind: 'not_now' };
    } finally {
      entry.claiming = false;
    }
  }

  /** Fresh for each poll. But what may have been granted to a poll that was never answered has not left: its nonce goes to the next one. */
  private nonceOfPoll({ doubtful }: Entry): string {
    return doubtful !== undefined && isPollNonce(doubtful) ? doubtful : pollNonce(this.options.fresh());
  }

  private notGranted(entry: Entry, answer: ClaimAnswer): void {
    const { books, assignment } = this.parts;
    if (answer.kind === 'over') books.close(entry.task.attemptId);
    else if (answer.kind === 'taken') this.takenBy(entry, answer.nonce);
    else if (entry.paused && entry.grantedTo === undefined) {
      entry.session?.drop(entry);
      assignment.enqueue(entry);
    } else this.options.clock.after(CLAIM_AGAIN_MS, () => this.again(entry));
  }

  private again(entry: Entry): void {
    const isIdle = entry.phase === 'given' && entry.givenSeq === Infinity && !entry.claiming;
    const { books, assignment } = this.parts;
    if (!isIdle || assignment.isStopped || !books.isOpen(entry)) return;
    if (entry.session === undefined) assignment.enqueue(entry);
    else void this.forSession(entry, entry.session);
  }

  /** The claim on record is not the one that was asked for. */
  private takenBy(entry: Entry, nonce: string): void {
    if (entry.session === undefined && isOut(entry)) return; // Granted meanwhile to one who asked for it (`by-message.ts`).
    entry.session?.drop(entry);
    const session = this.parts.sessionOf(nonce);
    if (session !== undefined) {
      session.assign(entry);
      void this.forSession(entry, session);
    } else if (nonce === entry.doubtful) this.parts.books.lapse(entry, 'lease', 'whoever it was granted to is gone');
    else {
      entry.phase = 'recovering'; // Another replica has granted it, and judges its lease.
      entry.recoverBy = this.options.clock.monotonicMs() + entry.task.timeoutMs;
    }
  }
}
