import type { StoredEvent } from '@cairn/kernel';
import type { RunHistory } from '../history.js';
import type { Break } from './break.js';
import { appendWith, drop, first, ofStep } from './editing.js';
import { reviewedHistory, withdrawnHistory } from './good-reviews.js';

/** The history without the reviews' own streams: what they would contradict is then told by the run alone. */
function alone(history: RunHistory): RunHistory {
  const { reviews: _, ...rest } = history;
  return rest;
}

/** With what the reviews' streams say changed; their own chain is not looked at then. */
function told(history: RunHistory, change: (stored: readonly StoredEvent[]) => readonly StoredEvent[]): RunHistory {
  return { ...history, reviews: new Map([...(history.reviews ?? [])].map(([id, stored]) => [id, change(stored)])) };
}

/** Ways to break a history in which people decide; each fires its invariant alone. */
export const breaksOfReviews: readonly Break[] = [
  {
    invariant: 'I-5',
    by: 'a verdict that no event of its review has caused',
    good: reviewedHistory,
    edit: (d) => (appendWith(d, first(d, 'VerdictApplied')).cause = '0'.repeat(26)),
  },
  {
    invariant: 'I-18',
    by: 'a review that is asked for without its checkpoint',
    good: reviewedHistory,
    edit: (d) => drop(d, first(d, 'CheckpointReached')),
  },
  {
    invariant: 'I-23',
    by: 'an effect whose input is not what was approved (M-16)',
    good: reviewedHistory,
    edit: (d) => (ofStep(d, 'StepStarted', 'pay').data['input'] = { amount: 1_000_000 }),
  },
  {
    invariant: 'I-23',
    by: 'a verdict about another subject',
    good: () => alone(reviewedHistory()),
    edit: (d) => (first(d, 'VerdictApplied').data['subjectDigest'] = '0'.repeat(64)),
  },
  {
    invariant: 'I-23',
    by: 'an effect that begins after its approval has run out',
    good: reviewedHistory,
    edit: (d) => (first(d, 'ReviewRequested').data['receiptTtl'] = -1),
  },
  {
    invariant: 'I-24',
    by: 'an effect that begins although it was rejected',
    good: () => alone(reviewedHistory()),
    edit: (d) => Object.assign(first(d, 'VerdictApplied').data, { verdict: 'reject', then: 'step:tell' }),
  },
  {
    invariant: 'I-25',
    by: 'one person where two must agree',
    good: () => alone(reviewedHistory()),
    edit: (d) => (first(d, 'VerdictApplied').data['by'] = ['user:ana']),
  },
  {
    invariant: 'I-25',
    by: 'a verdict that its review does not know (M-18)',
    good: reviewedHistory,
    edit: (d) => (first(d, 'VerdictApplied').data['by'] = ['user:ana', 'user:eve']),
  },
  {
    invariant: 'I-26',
    by: 'an expiry that approves (M-17)',
    good: () => alone(withdrawnHistory()),
    edit: (d) => {
      const { reviewId } = first(d, 'ReviewRequested').data;
      const data = {
        reviewId,
        step: 'ask',
        verdict: 'expired',
        then: 'continue',
        by: [],
        reason: '',
        subjectDigest: '0'.repeat(64),
        decided: 1,
      };
      const append = appendWith(d, first(d, 'ReviewWithdrawn'));
      append.events[0] = { type: 'VerdictApplied', version: 1, data };
    },
  },
  {
    invariant: 'I-26',
    by: 'a review that is passed up after it was decided',
    good: reviewedHistory,
    edit: (d) => {
      const { reviewId } = first(d, 'VerdictApplied').data;
      const data = { reviewId, step: 'ask', level: 1, to: null, because: 'chain' };
      appendWith(d, first(d, 'VerdictApplied')).events.splice(1, 0, { type: 'ReviewEscalated', version: 1, data });
    },
  },
  {
    invariant: 'I-27',
    by: 'an end that leaves a review open',
    good: () => alone(withdrawnHistory()),
    edit: (d) => drop(d, first(d, 'ReviewWithdrawn')),
  },
  {
    invariant: 'I-27',
    by: 'a withdrawal that the review was never told of',
    good: withdrawnHistory,
    change: (h) => told(h, (stored) => stored.slice(0, -1)),
  },
];
