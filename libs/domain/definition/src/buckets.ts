/**
 * Kinds of failures (`capabilities.md` §3.5): a closed vocabulary, because policies, charts and reviews all speak it.
 * A team's own kinds start with `x-`. What nobody recognised is `unclassified`.
 */
export const buckets = [
  'rate_limited',
  'quota_exhausted',
  'billing',
  'auth',
  'permission',
  'not_found',
  'invalid_input',
  'invalid_output',
  'context_length',
  'content_refused',
  'model_output_invalid',
  'plan_rejected',
  'upstream_5xx',
  'timeout',
  'network',
  'conflict',
  'tool_error',
  'handler_lost',
  'effect_unknown',
  'no_progress',
  'loop_exhausted',
  'definition_error',
  'unclassified',
] as const;

export type Bucket = (typeof buckets)[number] | `x-${string}`;

const KNOWN: ReadonlySet<string> = new Set(buckets);
const OWN = /^x-[a-z0-9][a-z0-9_-]{0,60}$/;

/** Whether a text names a kind of failure: one of ours, or an own one that starts with `x-`. */
export function isBucket(text: unknown): text is Bucket {
  return typeof text === 'string' && (KNOWN.has(text) || OWN.test(text));
}

/** What a policy expects to be different at the next try. A retry without an expectation is hope, and is not written. */
export const expectations = [
  'time_passes',
  'provider_reset',
  'another_handler',
  'changed_input',
  'resampled_output',
  'dependency_recovers',
] as const;

export type ExpectedChange = (typeof expectations)[number];

/** What a failure showed that no earlier attempt of its step had shown. */
export interface Evidence {
  readonly digest?: string;
  readonly code?: string;
  readonly retryAfter?: string;
}

/** Why a failure was judged as it was: the rule that held (`http-default@4#rate_limited`), the new evidence, what is expected to change. */
export interface Justification {
  readonly rule: string;
  readonly newEvidence: readonly Evidence[];
  /** Of a retry what its rule expects; of a way round what is different there, in words; `null` where nothing follows. */
  readonly expectedChange: string | null;
}
