import type { JsonPatchOp, Risk, Verdict } from '@cairn/domain-definition';
import type { DomainEvent, Id, Instant, Json } from '@cairn/kernel';
import type { AttemptId, Occurrence } from '../shared-fields.js';

export type ReviewId = Id;

/**
 * What made the run ask (`capabilities.md` §3.5). `after_retries`: a step has failed again after it was retried; `recovery`: its first
 * failure already is one that nobody may retry unasked.
 */
export type ReviewWhy = 'planned' | 'risk' | 'after_retries' | 'after_wait' | 'budget' | 'give_up' | 'recovery' | 'plan';

/** One thing that may be decided, with its consequence in words. */
export interface ReviewOption {
  readonly id: string;
  readonly label: string;
  readonly verdict: Verdict;
  /** As the definition says it: `continue`, `stop`, `step:chase`, … */
  readonly then: string;
  readonly preview: string;
}

/** What of one step an approval is about. */
export interface ReviewSubject {
  readonly step: Occurrence;
  readonly input: Json;
  readonly params: Json;
  readonly effect: { readonly key: string; readonly fingerprint: string } | null;
  /** sha256 hex of canon({assumptions, definition, effect, input, params, step}). */
  readonly digest: string;
  /** Why the input is not known yet: an expression of it has no answer at this point. */
  readonly problem?: string;
}

/** People are asked. Appended together with its `review` checkpoint (I-18). */
export type ReviewRequested = DomainEvent<
  'ReviewRequested',
  1,
  {
    readonly reviewId: ReviewId;
    readonly step: Occurrence;
    /** Counts the reviews of the step on this branch, from 1. */
    readonly n: number;
    readonly why: ReviewWhy;
    readonly queue: string;
    readonly risk: Risk;
    readonly question: string;
    readonly options: readonly ReviewOption[];
    /** Of each step that it authorises; of itself, where it authorises none. */
    readonly subjects: readonly ReviewSubject[];
    /** Of the one subject its digest, of several sha256 hex of canon([digest, …]). */
    readonly subjectDigest: string;
    /** The review whose approval no longer fits. */
    readonly previous?: ReviewId;
    /** What becomes of this failed attempt of the step is asked: nothing follows it until people have decided. */
    readonly attemptId?: AttemptId;
    readonly editable: readonly string[];
    readonly candidates: readonly string[];
    readonly quorum: { readonly of: number; readonly notSameAs: readonly string[] };
    readonly deadline: Instant;
    readonly onDeadline: string;
    readonly escalate: readonly { readonly to: string; readonly at: Instant }[];
    /** How long an approval holds, in milliseconds. */
    readonly receiptTtl: number;
    readonly evidence: readonly Json[];
    readonly assumptions: readonly string[];
    readonly restores: string;
  }
>;

/** The review was passed up, says its own stream. The run is `escalated` until somebody decides. */
export type ReviewEscalated = DomainEvent<
  'ReviewEscalated',
  1,
  {
    readonly reviewId: ReviewId;
    readonly step: Occurrence;
    /** From 1. */
    readonly level: number;
    /** Null: the chain is at its end. */
    readonly to: string | null;
    readonly because: 'chain' | 'deadline' | 'person';
    readonly reason?: string;
  }
>;

/** What was decided takes effect. `expired`: nobody decided in time, which never approves. */
export type VerdictApplied = DomainEvent<
  'VerdictApplied',
  1,
  {
    readonly reviewId: ReviewId;
    readonly step: Occurrence;
    readonly verdict: Verdict | 'expired';
    readonly then: string;
    readonly by: readonly string[];
    readonly reason: string;
    /** Of what may run now: with edits that of the edited subject. */
    readonly subjectDigest: string;
    readonly edits?: readonly JsonPatchOp[];
    /** Of a review that authorises nothing: its own input, as it was edited. */
    readonly input?: Json;
    /** Of a review about a failure: the attempt that failed. `then` is what follows it, and the step is not settled by this. */
    readonly attemptId?: AttemptId;
    /** What should be different: tasks of the branch that follows are told. */
    readonly guidance?: string;
    /** Revision of the event of `review-<reviewId>` that this follows from. */
    readonly decided: number;
  }
>;

/**
 * An approval of another branch counts here, too: whoever opened this one asked for it, and what would run is exactly what was approved (U-4,
 * I-23). Nobody is asked. Else people are asked anew.
 */
export type VerdictCarried = DomainEvent<
  'VerdictCarried',
  1,
  {
    readonly reviewId: ReviewId;
    readonly step: Occurrence;
    readonly verdict: 'approve' | 'edit';
    readonly then: 'continue';
    readonly by: readonly string[];
    readonly reason: string;
    readonly subjectDigest: string;
    /** Of each step that it authorises: the digest that was asked about, and the one that may run. */
    readonly subjects: readonly { readonly step: Occurrence; readonly asked: string; readonly digest: string }[];
    readonly edits?: readonly JsonPatchOp[];
    readonly input?: Json;
    /** How long the approval holds counts from then. */
    readonly decidedAt: Instant;
    readonly receiptTtl: number;
    readonly decided: number;
  }
>;

/** The run does not ask any more. */
export type ReviewWithdrawn = DomainEvent<
  'ReviewWithdrawn',
  1,
  {
    readonly reviewId: ReviewId;
    readonly step: Occurrence;
    readonly because: 'run_ended' | 'branch' | 'subject_changed';
    /** Of `subject_changed`, where it is not what was asked about that has changed: why the decision could not be done. */
    readonly says?: string;
  }
>;

export type ReviewEvent = ReviewRequested | ReviewEscalated | VerdictApplied | VerdictCarried | ReviewWithdrawn;
