import type { JsonPatchOp, Verdict } from '@cairn/domain-definition';
import type { EpochMs, Principal } from '@cairn/kernel';

/** What a person asks of a review. `by`: as authentication found out. */
export interface ClaimReview {
  readonly by: Principal;
  /** Takes it over from whoever has it; recorded. */
  readonly force?: boolean;
}

export interface ReleaseReview {
  readonly by: Principal;
  readonly force?: boolean;
}

export interface ReassignReview {
  readonly by: Principal;
  readonly to: string;
  readonly reason?: string;
}

export interface CommentReview {
  readonly by: Principal;
  readonly text: string;
}

/** A decision carries ids, never state (`experience.md` §5). */
export interface DecideReview {
  readonly by: Principal;
  readonly subjectDigest: string;
  readonly revision: number;
  /** Absent: that of the option. */
  readonly verdict?: Verdict | 'abstain';
  readonly option?: string;
  readonly edits?: readonly JsonPatchOp[];
  readonly guidance?: string;
  readonly reason: string;
}

export interface EscalateReview {
  readonly by: Principal;
  readonly to?: string;
  readonly reason: string;
}

/** A due time may have come, by the clock of human-review. */
export interface PassTime {
  readonly now: EpochMs;
}

/** The run has ended or does not ask any more, or did not take the decision. */
export interface CloseReview {
  readonly because: 'withdrawn' | 'invalidated';
  readonly says: string;
}
