/** Messages whose bugs are remembered at most. Beyond, the oldest are forgotten: their messages get a few deliveries more. */
const REMEMBERED_MAX = 10_000;

/** Our own count of deliveries that ended in a bug, by place in the bus stream. In memory: a restart gives a message a new chance. */
export class BugCounts {
  private readonly counts = new Map<number, number>();

  /** Counts one more, and answers how many there are. */
  add(sequence: number): number {
    const count = (this.counts.get(sequence) ?? 0) + 1;
    this.counts.delete(sequence);
    this.counts.set(sequence, count);
    if (this.counts.size > REMEMBERED_MAX) {
      for (const oldest of this.counts.keys()) {
        this.counts.delete(oldest);
        break;
      }
    }
    return count;
  }

  forget(sequence: number): void {
    this.counts.delete(sequence);
  }
}
