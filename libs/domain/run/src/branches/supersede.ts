import type { JsonPatchOp } from '@cairn/domain-definition';
import type { Draft } from '../draft.js';
import { isOpenReview } from '../reviews/evolve.js';
import { parseOccurrence } from '../state.js';
import type { BranchCause, BranchSpec } from './events.js';
import { nextBranch } from './evolve.js';

/** What a policy's branch is opened for. */
export interface PolicyBranch {
  readonly cause: Extract<BranchCause, 'retry_modified' | 'fallback' | 'reduced_scope'>;
  readonly reason: string;
  readonly evidence: readonly string[];
  readonly changes: readonly JsonPatchOp[];
  /** Steps whose open attempts, waits and reviews are not carried. */
  readonly dropped?: ReadonlySet<string>;
}

/**
 * Hands the run on to a branch that a policy opens: it grows from here, and everything of the other steps that is open goes on there under
 * its id, so nothing that is finished or under way runs again and no effect needs a choice (`architecture.md` §3.2). Whoever calls has asked
 * whether the run may have one more (`mayBranch`).
 */
export function supersedeByPolicy(draft: Draft, branch: PolicyBranch): void {
  const { state } = draft;
  const goesOn = ({ step }: { readonly step: string }): boolean => branch.dropped?.has(parseOccurrence(step).step) !== true;
  for (const [waitId, wait] of sorted(state.path.waits.entries()))
    if (wait.open && !goesOn(wait)) draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step: wait.step, because: 'branch' } });
  const reviews = sorted(state.path.reviews.entries()).filter(([, review]) => isOpenReview(review));
  for (const [reviewId, review] of reviews)
    if (!goesOn(review)) draft.add({ type: 'ReviewWithdrawn', version: 1, data: { reviewId, step: review.step, because: 'branch' } });
  const carriedReviews = reviews.flatMap(([reviewId, review]) => (goesOn(review) ? [reviewId] : []));
  const spec: BranchSpec = {
    parent: { branch: state.branch, revision: draft.state.revision },
    checkpoint: state.path.checkpoint,
    cause: branch.cause,
    reason: branch.reason,
    evidence: branch.evidence,
    changes: branch.changes,
    carried: {
      attempts: sorted(state.path.attempts.entries()).flatMap(([attemptId, attempt]) => (goesOn(attempt) ? [attemptId] : [])),
      waits: sorted(state.path.waits.entries()).flatMap(([waitId, wait]) => (wait.open && goesOn(wait) ? [waitId] : [])),
      failures: sorted(state.path.retries.entries()).flatMap(([attemptId, entry]) => (entry.settled ? [] : [attemptId])),
      ...(carriedReviews.length === 0 ? {} : { reviews: carriedReviews }),
      events: [],
    },
    effectsChoices: {},
    lesson: 'told',
  };
  draft.add({ type: 'BranchSuperseded', version: 1, data: { successor: nextBranch(state), spec } });
}

/** Map order is that of hashes; what is stored has an order that anybody can tell. */
const sorted = <V>(entries: Iterable<[string, V]>): [string, V][] => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
