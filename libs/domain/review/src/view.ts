import type { Id, Instant } from '@cairn/kernel';
import type { ReviewOpened, VoteCast } from './events.js';
import { statusOf, type ReviewState, type ReviewStatus } from './evolve.js';

/** The review object (`capabilities.md` §3.5) as people and programs see it. */
export interface ReviewView extends Omit<ReviewOpened['data'], 'reviewId' | 'requested' | 'quorum' | 'escalate'> {
  readonly review: Id;
  readonly status: ReviewStatus;
  /** What a decision must name. */
  readonly revision: number;
  readonly openedAt: Instant;
  readonly claimedBy: string | null;
  readonly assignee: string | null;
  readonly quorum: ReviewOpened['data']['quorum'] & { readonly votes: readonly Omit<VoteCast['data'], 'reviewId'>[] };
  readonly escalation: {
    readonly chain: ReviewOpened['data']['escalate'];
    readonly level: number;
    readonly to: string | null;
    readonly overdue: boolean;
  };
  readonly comments: ReviewState['comments'];
  readonly decision?: {
    readonly verdict: string;
    readonly option: string;
    readonly by: readonly string[];
    readonly reason: string;
    readonly at: Instant;
    readonly revision: number;
    readonly edits?: readonly unknown[];
    readonly guidance?: string;
  };
  /** Why it is closed without a decision, or why its decision was not applied. */
  readonly closed?: { readonly because: string; readonly says: string; readonly notApplied: boolean };
}

export function reviewView(state: ReviewState): ReviewView {
  const { reviewId, requested: _, quorum, escalate, ...opened } = state.opened;
  const { decision, closed } = state;
  return {
    review: reviewId,
    status: statusOf(state),
    revision: state.revision,
    ...opened,
    openedAt: state.openedAt,
    claimedBy: state.claimedBy,
    assignee: state.assignee,
    quorum: { ...quorum, votes: state.votes.map(({ reviewId: __, ...vote }) => vote) },
    escalation: { chain: escalate, level: state.level, to: state.passedTo, overdue: state.overdue },
    comments: state.comments,
    ...(decision === null
      ? {}
      : {
          decision: {
            verdict: decision.verdict,
            option: decision.option,
            by: decision.by,
            reason: decision.reason,
            at: decision.at,
            revision: decision.revision,
            ...(decision.edits === undefined ? {} : { edits: decision.edits }),
            ...(decision.guidance === undefined ? {} : { guidance: decision.guidance }),
          },
        }),
    ...(closed === null ? {} : { closed }),
  };
}
