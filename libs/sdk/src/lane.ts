import type { Attempt } from './task.js';
import type { Handler, Outcome } from './handler.js';

const GRANT_LATE = {
  bucket: 'handler_lost',
  code: 'grant_late',
  message: 'the grant of this attempt came so late that its lease may be over: nothing was begun',
  sideEffect: 'none',
} as const;

/** The attempts of one queue that this process has in hand: at most `concurrency` run, what was given beyond that waits its turn. */
export class Lane {
  #running = 0;
  readonly #waiting: Attempt[] = [];

  constructor(
    private readonly handler: Handler,
    private readonly ended: (attempt: Attempt, outcome: Outcome) => void,
    private readonly isTooLate: (attempt: Attempt) => boolean = () => false,
  ) {}

  /** How many more the server may give. Two frames may offer the same place: the surplus waits here. */
  get free(): number {
    return Math.max(0, this.handler.concurrency - this.#running - this.#waiting.length);
  }

  take(attempt: Attempt): void {
    if (this.#running < this.handler.concurrency) this.#run(attempt);
    else this.#waiting.push(attempt);
  }

  #run(attempt: Attempt): void {
    if (this.isTooLate(attempt)) return this.#refuse(attempt);
    this.#running++;
    this.handler.run(attempt, (outcome) => {
      this.#running--;
      attempt.end();
      this.ended(attempt, outcome);
      this.#next();
    });
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#run(next);
  }

  /** Nothing has been done for it: whoever judges the failure may give it to anybody. */
  #refuse(attempt: Attempt): void {
    attempt.end();
    this.ended(attempt, { kind: 'failed', failure: GRANT_LATE });
    this.#next();
  }
}
