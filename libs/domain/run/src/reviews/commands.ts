import type { Id, Json } from '@cairn/kernel';
import type { Fork } from '../branches/fork.js';
import type { RunState } from '../state.js';
import type { ReviewId } from './events.js';

/** Where a branch grows, with the state there: whoever brings the command has read it. */
export type KnownFork = Fork & { readonly state?: RunState };

/** An event of `review-<reviewId>` as execution read it: a command alone proves nothing (W-8). */
export interface RecordedDecision {
  readonly type: string;
  readonly runId: Id;
  readonly data: { readonly [field: string]: Json };
}

/** Something was decided, or expired, at a revision of the review's stream. */
export interface ApplyVerdict {
  readonly type: 'ApplyVerdict';
  readonly data: {
    readonly reviewId: ReviewId;
    readonly revision: number;
    readonly recorded?: RecordedDecision;
    readonly fork?: KnownFork;
  };
}

/** The review was passed up at a revision of its stream. */
export interface ApplyEscalation {
  readonly type: 'ApplyEscalation';
  readonly data: { readonly reviewId: ReviewId; readonly revision: number; readonly recorded?: RecordedDecision };
}
