import type { DomainEvent, Instant, JsonObject } from '@cairn/kernel';
import type { AttemptId, Occurrence, PinnedDocument } from '../shared-fields.js';

export type RetryVerdict = 'retry' | 'retry_modified' | 'fallback' | 'reduce_scope' | 'escalate' | 'block' | 'give_up';

/** Why another try can succeed: the rule, what this failure showed that no earlier one did, and what will be different (C-WHYRETRY). */
export interface Justification {
  readonly rule: string;
  readonly newEvidence: readonly { readonly digest?: string; readonly code?: string; readonly retryAfter?: Instant }[];
  readonly expectedChange: string | null;
}

/** What happens after a failed attempt. Final for that attempt: a second judgement of it changes nothing. */
export type RetryDecided = DomainEvent<
  'RetryDecided',
  1,
  {
    readonly step: Occurrence;
    /** The attempt that failed. Numbers repeat over branches, ids never do. */
    readonly attemptId: AttemptId;
    /** As judged; the handler's hint stands in `StepFailed`. */
    readonly bucket: string;
    readonly decision: RetryVerdict;
    readonly justification: Justification;
    /** Pinned, so that a later version cannot change what this meant. */
    readonly policy: PinnedDocument;
    /** Earliest start of the next attempt. Absent: at once. */
    readonly notBefore?: Instant;
    readonly queue?: string;
    readonly change?: JsonObject;
  }
>;

export type CheckpointKind = 'plan' | 'pre_effect' | 'post_effect' | 'wait' | 'review' | 'recovery' | 'stage';

/** What a checkpoint asserts: this stage is complete, with these digests. */
export interface CheckpointClaim {
  readonly says: string;
  /** `sha256:<hex>` of the canonical input and result of the step it names, where it has them. */
  readonly inputDigest?: string;
  readonly resultDigest?: string;
  readonly artifacts: readonly string[];
  readonly usage: { readonly usd: number; readonly tokensIn: number; readonly tokensOut: number };
}

/** A named point of the run. `stateDigest` is that of the state just before this event. */
export type CheckpointReached = DomainEvent<
  'CheckpointReached',
  1,
  {
    readonly name: string;
    readonly kind: CheckpointKind;
    readonly step?: Occurrence;
    readonly claim: CheckpointClaim;
    readonly digestVersion: 1;
    readonly stateDigest: string;
  }
>;

export type RecoveryEvent = RetryDecided | CheckpointReached;
