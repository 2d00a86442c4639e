import { PARALLEL_MAX } from '@cairn/application';
import { isFault, type Metrics } from '@cairn/ports';
import type { Id } from '@cairn/kernel';
import type { Unfinished } from '../working-set/reviews.js';

/** Serves what is rung, each review once at a time and so many together. What goes wrong is counted: the sweep rings again. */
export class ServingQueue {
  private readonly waiting = new Map<Id, Unfinished>();
  private readonly underWay = new Map<Id, Promise<void>>();
  /** Rung while they were served: they are looked at once more. */
  private readonly again = new Set<Id>();
  private stopped = false;

  constructor(
    private readonly serve: (review: Unfinished) => Promise<void>,
    /** The review as it stands, if it is owed something still. */
    private readonly owed: (reviewId: Id) => Unfinished | undefined,
    private readonly metrics: Metrics,
  ) {}

  ring(review: Unfinished): void {
    if (this.stopped) return;
    if (this.underWay.has(review.reviewId)) this.again.add(review.reviewId);
    else {
      this.waiting.set(review.reviewId, review);
      this.next();
    }
  }

  start(): void {
    this.stopped = false;
  }

  /** Begins nothing more that was rung before; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    this.again.clear();
    await Promise.all(this.underWay.values());
  }

  private next(): void {
    for (const [reviewId, review] of this.waiting) {
      if (this.underWay.size >= PARALLEL_MAX) return;
      this.waiting.delete(reviewId);
      this.underWay.set(reviewId, this.serveOne(review));
    }
  }

  private async serveOne(review: Unfinished): Promise<void> {
    const { reviewId } = review;
    try {
      await this.serve(review);
    } catch (error) {
      this.metrics.count('cairn_reaction_errors_total', { service: 'human-review', kind: isFault(error) ? 'fault' : 'bug' });
      this.again.delete(reviewId); // The sweep, not a loop, tries again.
    } finally {
      this.underWay.delete(reviewId);
      const more = this.again.delete(reviewId) ? this.owed(reviewId) : undefined;
      if (more !== undefined) this.ring(more);
      this.next();
    }
  }
}
