import type { Bucket } from '@cairn/domain-definition';
import type { Instant } from '@cairn/kernel';

/** What a failed attempt left behind, as `StepFailed` holds it. */
export interface JudgedFailure {
  readonly by: 'handler' | 'lease' | 'timeout' | 'decider';
  /** The handler's hint. */
  readonly bucket?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfter?: string;
  /** Silence means `none`: where it means something else, the run's decider has filled it in. */
  readonly sideEffect?: 'none' | 'applied' | 'unknown';
  /** A digest of the handler's own. */
  readonly evidence?: string;
  /** Whatever the handler has: status, headers, body, cause. Looked through, never believed to have a form. */
  readonly details?: unknown;
}

/** What is made of it (C-CLASSIFY). */
export interface Normalised {
  readonly bucket: Bucket;
  /** Whether another try without a change can succeed. Absent: nobody knows. */
  readonly transient?: boolean;
  readonly sideEffect: 'none' | 'applied' | 'unknown';
  /** HTTP status, where one was found. */
  readonly status?: number;
  /** The handler's code, else the status, else the bucket. */
  readonly code: string;
  /** Equal for failures that show the same: the handler's own digest, else ours over what was said, numbers and ids left out. */
  readonly digest: string;
  /** When the provider will take another try. Always after the failure. */
  readonly retryAfter?: Instant;
}

/** Kinds of failure that can be gone at the next attempt although nothing was changed. */
const TRANSIENT: ReadonlySet<Bucket> = new Set<Bucket>([
  'rate_limited',
  'upstream_5xx',
  'timeout',
  'network',
  'conflict',
  'handler_lost',
  'model_output_invalid',
]);

export function isTransient(bucket: Bucket): boolean | undefined {
  return bucket === 'unclassified' || bucket === 'tool_error' || bucket.startsWith('x-') ? undefined : TRANSIENT.has(bucket);
}
