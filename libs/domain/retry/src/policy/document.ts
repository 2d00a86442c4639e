import type { Bucket, ExpectedChange, JsonPatchOp } from '@cairn/domain-definition';

/** How long to wait before the next attempt. Durations are whole milliseconds; `factor` is 2, `jitter` 0.2, `cap` a week unless said otherwise. */
export interface Backoff {
  readonly kind: 'fixed' | 'linear' | 'exponential';
  readonly first: number;
  readonly cap?: number;
  /** Of `exponential` alone. */
  readonly factor?: number;
  readonly jitter?: number;
}

/** A pause of our own, or the provider's time where it names one. */
export type Pause = Backoff | { readonly from: 'retryAfter'; readonly else: Backoff };

/** What narrows a rule of a list: every one that is there must hold. */
interface Narrowed {
  /** Codes as the handler gives them, or HTTP statuses. */
  readonly codes?: readonly string[];
  /** CEL on `failure`. One that fails does not hold. */
  readonly where?: string;
}

interface Tried extends Narrowed {
  /** Attempts of the step in all, the first included. They count anew with each alternative that it takes. */
  readonly attempts: number;
  /** Asked of every rule that is applied; a stored one without it escalates: a retry without an expected change is hope (C-WHYRETRY). */
  readonly expects?: ExpectedChange;
  /** From the step's first failure to the start of the next attempt, at most; counted like `attempts`. */
  readonly elapsed?: number;
  /** Escalates where a failure shows nothing that earlier ones did not. */
  readonly needsNewEvidence?: true;
  /** Who is asked where a retry cannot be justified. */
  readonly escalate?: string;
}

/** The same again: same input, same params, same queue, on the same branch. */
export interface RetryRule extends Tried {
  readonly retry: true;
  readonly backoff: Pause;
}

/** Something else is tried (C-MODIFIED): what the attempt was given is changed, on a branch of its own. */
export interface ModifiedRule extends Tried {
  readonly retry: 'modified';
  /** Relative to `{input, params, queue}` of the attempt that failed. */
  readonly modify: readonly JsonPatchOp[];
  /** Absent: at once. */
  readonly backoff?: Pause;
}

/** A rule that has another attempt made. */
export type TriedRule = RetryRule | ModifiedRule;

export interface StopRule extends Narrowed {
  readonly retry: false;
  /** Who is asked. Absent: `onExhausted` says what follows. */
  readonly escalate?: string;
}

/** What is done about failures of one bucket. */
export type BucketRule = TriedRule | StopRule;

/** What a bucket holds: one rule, or a list of which the first that holds counts. */
export type BucketRules = BucketRule | readonly BucketRule[];
export const isList = (rules: BucketRules): rules is readonly BucketRule[] => Array.isArray(rules);

/** Tried in order: the ways on that step and workflow declare, each taken once, then the one end. */
export type ExhaustedStep = 'fallback' | 'reduce' | `reduce:${string}` | ExhaustedEnd;
export type ExhaustedEnd = 'block' | 'give_up' | { readonly review: string };

/** Bounds over all buckets. They stand in every policy, written or not: decisions cite their numbers. */
export interface RetryLimits {
  /** Attempts of one step, the first included. */
  readonly perStep: number;
  /** Failed attempts of the whole run. */
  readonly perRun: number;
  /** Milliseconds from a step's first failure to the start of its next attempt. */
  readonly elapsed: number;
  /** What the run may have cost when it is tried again. */
  readonly usd?: number;
}

/** A retry policy in canonical form (`capabilities.md` §3.5). */
export interface RetryPolicyDocument {
  readonly cairn: 1;
  readonly policy: string;
  readonly buckets: { readonly [bucket in Bucket]?: BucketRules };
  readonly limits: RetryLimits;
  readonly onExhausted: readonly ExhaustedStep[];
}
