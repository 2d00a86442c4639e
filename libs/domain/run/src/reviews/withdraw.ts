import type { Draft } from '../draft.js';
import { isOpenReview, reviewsOf } from './evolve.js';

/** Nothing is asked about a failure any more whose step has gone on, or will not, without people. */
export function withdrawAboutFailure(draft: Draft, step: string): void {
  for (const [reviewId, entry] of reviewsOf(draft.state, step))
    if (entry.attemptId !== undefined && isOpenReview(entry))
      draft.add({
        type: 'ReviewWithdrawn',
        version: 1,
        data: { reviewId, step, because: 'subject_changed', says: `what becomes of ${step} is settled without it` },
      });
}
