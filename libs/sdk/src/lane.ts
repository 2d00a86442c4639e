import type { Attempt } from './task.js';
import type { Handler, Outcome } from './handler.js';

/** The attempts of one queue that this process has in hand: at most `concurrency` run, what was given beyond that waits its turn. */
export class Lane {
  #running = 0;
  readonly #waiting: Attempt[] = [];

  constructor(
    private readonly handler: Handler,
    private readonly ended: (attempt: Attempt, outcome: Outcome) => void,
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
    this.#running++;
    this.handler.run(attempt, (outcome) => {
      this.#running--;
      attempt.end();
      this.ended(attempt, outcome);
      const next = this.#waiting.shift();
      if (next !== undefined) this.#run(next);
    });
  }
}
