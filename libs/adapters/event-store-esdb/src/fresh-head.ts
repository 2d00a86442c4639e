import { END } from '@eventstore/db-client';
import type { LogPosition } from './position.js';
import type { Reading } from './reading.js';

/** Where the log ends, whatever stands there. All tails of the process share the reads: never more than one is under way. */
export class FreshHead {
  private current: Promise<LogPosition | undefined> | undefined;
  private next: Promise<LogPosition | undefined> | undefined;

  constructor(private readonly reading: Reading) {}

  /** As the log is at some moment after this call; `undefined`: it is empty. */
  read(): Promise<LogPosition | undefined> {
    if (this.current === undefined) return (this.current = this.ask());
    // The read under way may have looked before the caller's last append.
    this.next ??= this.current
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return (this.current = this.ask());
      });
    return this.next;
  }

  private async ask(): Promise<LogPosition | undefined> {
    try {
      const [last] = await this.reading.before(END, 1);
      return last?.position;
    } finally {
      this.current = undefined;
    }
  }
}
