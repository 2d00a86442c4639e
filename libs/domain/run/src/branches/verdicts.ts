import type { Json } from '@cairn/kernel';
import { isApproved } from '../reviews/evolve.js';
import type { CarriedVerdict, RunState } from '../state.js';

/**
 * Approvals of the head that the fork does not have, the newest of each step. A branch that is asked to carry one does not ask again for exactly
 * what was approved (U-4); of what became of a failure or an effect people are always asked anew.
 */
export function verdictsSince(parent: RunState, head: RunState): readonly CarriedVerdict[] {
  const newest = new Map<string, CarriedVerdict>();
  for (const [reviewId, entry] of head.path.reviews.entries()) {
    const { step, n, attemptId, offers, status } = entry;
    const output = head.path.steps.get(step)?.output ?? null;
    if (!isApproved(entry) || attemptId !== undefined || parent.path.reviews.get(reviewId)?.status === status) continue;
    if (offers[status === 'edited' ? 'edit' : 'approve'] !== 'continue' || output === null || !('value' in output)) continue;
    if ((newest.get(step)?.entry.n ?? 0) < n)
      newest.set(step, { reviewId, entry, output: output.value as CarriedVerdict['output'] & Json });
  }
  return [...newest.values()].sort((a, b) => (a.entry.step < b.entry.step ? -1 : 1));
}
