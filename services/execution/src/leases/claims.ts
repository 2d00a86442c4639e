import type { Metrics } from '@cairn/ports';
import { isPollNonce, pollNonce, type ClaimAnswer } from './claim.js';
import type { Entry } from './entry.js';
import type { Task } from './task.js';

export interface ClaimsOptions {
  readonly metrics: Metrics;
  /** Asks the run's driver. Resolves after the append; rejects with a fault: the claim may stand or not. */
  readonly claim: (task: Task, handler: string, nonce: string) => Promise<ClaimAnswer>;
  /** A fresh text that nobody can guess. */
  readonly fresh: () => string;
}

/** Asks for claims, and keeps in each entry's books what is known of the one on record. */
export class Claims {
  constructor(private readonly options: ClaimsOptions) {}

  /**
   * Asks for the entry's claim in the name of `handler`. Without a `nonce` it is for one poll, and fresh: or the one of an earlier poll
   * that was never answered, since what was granted to that one has not left. Never rejects: no answer is `not_now`.
   */
  async ask(entry: Entry, handler: string, nonce = this.nonceOfPoll(entry)): Promise<ClaimAnswer> {
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

  private nonceOfPoll({ doubtful }: Entry): string {
    return doubtful !== undefined && isPollNonce(doubtful) ? doubtful : pollNonce(this.options.fresh());
  }
}
