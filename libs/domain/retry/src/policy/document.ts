import type { Bucket, ExpectedChange } from '@cairn/domain-definition';

/** How long to wait before the next attempt. Durations are whole milliseconds; `factor` is 2, `jitter` 0.2 unless the document says otherwise. */
export interface Backoff {
  readonly kind: 'fixed' | 'exponential';
  readonly first: number;
  readonly cap?: number;
  readonly factor?: number;
  readonly jitter?: number;
}

/** What is done about failures of one bucket. A retry without an expected change is hope, and is not written. */
export type BucketRule =
  | {
      readonly retry: true;
      /** Attempts in all, the first included. */
      readonly attempts: number;
      readonly expects: ExpectedChange;
      readonly backoff: Backoff | { readonly from: 'retryAfter'; readonly else: Backoff };
    }
  | { readonly retry: false; readonly escalate: string };

/** A retry policy in canonical form (`capabilities.md` §3.5). */
export interface RetryPolicyDocument {
  readonly cairn: 1;
  readonly policy: string;
  readonly buckets: { readonly [bucket in Bucket]?: BucketRule };
  readonly limits: { readonly perStep: number; readonly perRun: number; readonly elapsed: number };
  readonly onExhausted: readonly (string | { readonly review: string })[];
}
