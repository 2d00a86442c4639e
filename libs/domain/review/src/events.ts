import type { JsonPatchOp, Risk, Verdict } from '@cairn/domain-definition';
import type { DomainEvent, Id, Instant, Json } from '@cairn/kernel';

/** One thing that may be decided, as the run asked. */
export interface OfferedOption {
  readonly id: string;
  readonly label: string;
  readonly verdict: Verdict;
  readonly then: string;
  readonly preview: string;
}

/** What of one step the approval is about. */
export interface AskedSubject {
  readonly step: string;
  readonly input: Json;
  readonly params: Json;
  readonly effect: { readonly key: string; readonly fingerprint: string } | null;
  readonly digest: string;
  readonly problem?: string;
}

/** Somebody who may not decide, and why: read from the history when the review opens (four eyes). */
export interface Excluded {
  readonly who: string;
  /** `run.starter`, `branch.actor`, `step:<id>`. */
  readonly because: string;
}

/** A run asks people. The first event of `review-<reviewId>`, once; it says what `ReviewRequested` in the run says. */
export type ReviewOpened = DomainEvent<
  'ReviewOpened',
  1,
  {
    readonly reviewId: Id;
    readonly run: Id;
    readonly branch: string;
    /** Revision of its `ReviewRequested`. */
    readonly requested: number;
    readonly workflow: string;
    readonly goal: string | null;
    readonly step: string;
    readonly why: string;
    readonly queue: string;
    readonly risk: Risk;
    readonly question: string;
    readonly options: readonly OfferedOption[];
    readonly subjects: readonly AskedSubject[];
    readonly subjectDigest: string;
    readonly previous?: Id;
    /** What becomes of this failed attempt is asked. */
    readonly attemptId?: Id;
    /** What differs from the review before it, by JSON pointer into the list of subjects. */
    readonly diffToPrevious?: readonly { readonly path: string; readonly before: Json; readonly after: Json }[];
    readonly editable: readonly string[];
    readonly candidates: readonly string[];
    readonly quorum: { readonly of: number; readonly notSameAs: readonly string[] };
    readonly excluded: readonly Excluded[];
    readonly deadline: Instant;
    readonly onDeadline: string;
    readonly escalate: readonly { readonly to: string; readonly at: Instant }[];
    readonly evidence: readonly Json[];
    readonly assumptions: readonly string[];
  }
>;

/** Somebody has it in hand, alone. `takenFrom`: who had it before, which needs force. */
export type ReviewClaimed = DomainEvent<'ReviewClaimed', 1, { readonly reviewId: Id; readonly by: string; readonly takenFrom?: string }>;
export type ReviewReleased = DomainEvent<'ReviewReleased', 1, { readonly reviewId: Id; readonly by: string }>;
export type ReviewReassigned = DomainEvent<
  'ReviewReassigned',
  1,
  { readonly reviewId: Id; readonly by: string; readonly to: string; readonly reason?: string }
>;
export type ReviewCommented = DomainEvent<'ReviewCommented', 1, { readonly reviewId: Id; readonly by: string; readonly text: string }>;

/** One person's word where several must agree. The newest of each person counts; `abstain` is seen and not counted. */
export type VoteCast = DomainEvent<
  'VoteCast',
  1,
  {
    readonly reviewId: Id;
    readonly by: string;
    readonly verdict: Verdict | 'abstain';
    /** What of that verdict, where several options have it. */
    readonly option?: string;
    readonly subjectDigest: string;
    readonly edits?: readonly JsonPatchOp[];
    readonly guidance?: string;
    readonly reason: string;
  }
>;

/** It is decided, once. What the run makes of it stands there as `VerdictApplied`. */
export type ReviewDecided = DomainEvent<
  'ReviewDecided',
  1,
  {
    readonly reviewId: Id;
    readonly verdict: Verdict;
    readonly option: string;
    readonly subjectDigest: string;
    /** As many distinct people as the quorum asks for. */
    readonly by: readonly string[];
    readonly reason: string;
    readonly edits?: readonly JsonPatchOp[];
    readonly guidance?: string;
  }
>;

/** It was passed up: the chain's time came, the deadline passed, or a person did it. Echoed in the run under the same name. */
export type ReviewEscalated = DomainEvent<
  'ReviewEscalated',
  1,
  {
    readonly reviewId: Id;
    readonly step: string;
    readonly level: number;
    readonly to: string | null;
    readonly because: 'chain' | 'deadline' | 'person';
    readonly reason?: string;
  }
>;

/** Nobody decided before the deadline. Never an approval. */
export type ReviewExpired = DomainEvent<'ReviewExpired', 1, { readonly reviewId: Id; readonly then: string }>;

/** The run does not ask any more, or what was asked about has changed. `notApplied`: revision of the decision that came too late. */
export type ReviewClosed = DomainEvent<
  'ReviewClosed',
  1,
  { readonly reviewId: Id; readonly because: 'withdrawn' | 'invalidated'; readonly says: string; readonly notApplied?: number }
>;

export type ReviewStreamEvent =
  | ReviewOpened
  | ReviewClaimed
  | ReviewReleased
  | ReviewReassigned
  | ReviewCommented
  | VoteCast
  | ReviewDecided
  | ReviewEscalated
  | ReviewExpired
  | ReviewClosed;
