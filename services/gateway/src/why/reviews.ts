import { isOpenReview, isPassedUp, type ReviewEntry } from '@cairn/domain-run';
import type { Id } from '@cairn/kernel';
import { command, newest, plainCommand, said, since, until, type Reason, type WhyFacts } from './facts.js';

/** Characters of a review's id that a command is given, as of a run's. */
const TAIL_SHOWN = 8;

/** Reviews that people have to decide, and those that nobody decided in time and that block the run. */
export function openReviews(facts: WhyFacts): Reason[] {
  return [...facts.state.path.reviews.entries()].flatMap(([reviewId, review]) => {
    if (isOpenReview(review)) return [asked(facts, reviewId, review)];
    return review.status === 'expired' && blocks(facts, reviewId) ? [expired(facts, review)] : [];
  });
}

function asked(facts: WhyFacts, reviewId: Id, review: ReviewEntry): Reason {
  const { step, requestedAt, status, why } = review;
  // A review that was carried stands on the branch before.
  const request = newest(facts, 'ReviewRequested', ({ data }) => data.reviewId === reviewId)?.data;
  const passed = newest(facts, 'ReviewEscalated', ({ data }) => data.reviewId === reviewId)?.data;
  const who = request === undefined ? 'people' : `people of queue ${request.queue}`;
  const question = request === undefined ? '' : ` ${said(request.question)}`;
  const again = request?.previous === undefined ? '' : `; ${askedAgain(facts, request.previous)}`;
  const up = status !== 'escalated' ? '' : `; it was passed up${passed === undefined || passed.to === null ? '' : ` to ${passed.to}`}`;
  const end = request === undefined ? '' : `, until ${until(facts, request.deadline)}, then ${request.onDeadline}`;
  const options =
    review.attemptId === undefined || request === undefined ? '' : `; it offers ${request.options.map(({ id }) => id).join(', ')}`;
  return {
    kind: isPassedUp(review) ? 'escalated' : 'in_review',
    says: `Step ${step} has waited ${since(facts, requestedAt)} for ${who} to decide${question} (${why})${options}${end}${up}${again}.`,
    next: plainCommand(facts, 'review show', reviewId.slice(-TAIL_SHOWN)),
    step,
    ...(request === undefined ? {} : { queue: request.queue, at: request.deadline }),
  };
}

/** Why the answer to the review before does not stand. */
const askedAgain = (facts: WhyFacts, previous: Id): string =>
  newest(facts, 'ReviewWithdrawn', ({ data }) => data.reviewId === previous)?.data.says ??
  'it is asked again, because what was approved before is not what would run now';

const blocks = (facts: WhyFacts, reviewId: Id): boolean =>
  newest(facts, 'VerdictApplied', ({ data }) => data.reviewId === reviewId)?.data.then === 'block';

function expired(facts: WhyFacts, { step, decidedAt }: ReviewEntry): Reason {
  const ago = decidedAt === null ? '' : ` ${since(facts, decidedAt)} ago`;
  return {
    kind: 'awaiting_decision',
    says: `Step ${step} is blocked because nobody decided its review before the deadline, which passed${ago}: the run can be cancelled.`,
    next: command(facts, 'run cancel'),
    step,
  };
}
