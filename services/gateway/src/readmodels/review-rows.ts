import { evolveReview, isOpen, statusOf, type ReviewState } from '@cairn/domain-review';
import { categoryOf, type Id, type StoredEvent } from '@cairn/kernel';

/** The reviews that are open, as lists show them. What is decided stands in the history of its run, and under its id. */
export class ReviewRows {
  /** In the order in which they opened. */
  private rows = new Map<Id, ReviewState>();

  /** Whether an event is one of a review's own stream, and was folded here. */
  apply(event: StoredEvent): boolean {
    if (categoryOf(event.stream) !== 'review') return false;
    const id = String(event.data['reviewId']);
    const known = this.rows.get(id);
    if (known !== undefined && event.revision <= known.revision) return true;
    const state = evolveReview(known, event);
    if (state === undefined) return true; // It is closed already.
    if (isOpen(state)) this.rows.set(id, state);
    else this.rows.delete(id);
    return true;
  }

  get(id: Id): ReviewState | undefined {
    return this.rows.get(id);
  }

  all(): IterableIterator<ReviewState> {
    return this.rows.values();
  }

  adopt(anew: ReviewRows): void {
    this.rows = anew.rows;
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [id, state] of this.rows) yield ['review', id, [state.revision, statusOf(state), state.level, state.claimedBy]];
  }
}
