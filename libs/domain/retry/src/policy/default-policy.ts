import { buckets, type Bucket } from '@cairn/domain-definition';
import type { BucketRule, RetryPolicyDocument } from './document.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

const retried: { readonly [bucket in Bucket]?: BucketRule } = {
  rate_limited: {
    retry: true,
    attempts: 6,
    expects: 'provider_reset',
    backoff: { from: 'retryAfter', else: { kind: 'exponential', first: 10 * SECOND_MS, cap: 10 * MINUTE_MS } },
  },
  upstream_5xx: {
    retry: true,
    attempts: 4,
    expects: 'dependency_recovers',
    backoff: { kind: 'exponential', first: 2 * SECOND_MS, cap: 2 * MINUTE_MS, jitter: 0.3 },
  },
  timeout: { retry: true, attempts: 4, expects: 'time_passes', backoff: { kind: 'exponential', first: SECOND_MS, cap: MINUTE_MS } },
  network: { retry: true, attempts: 4, expects: 'time_passes', backoff: { kind: 'exponential', first: SECOND_MS, cap: MINUTE_MS } },
  handler_lost: { retry: true, attempts: 5, expects: 'another_handler', backoff: { kind: 'exponential', first: 100, cap: 10 * SECOND_MS } },
  conflict: { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'exponential', first: 500 } },
  model_output_invalid: { retry: true, attempts: 3, expects: 'resampled_output', backoff: { kind: 'fixed', first: 100 } },
};

/** Policy `default`, version 1: what a workflow gets that names no policy (`history.md` §3). Its bytes are storage format. */
export const defaultPolicy: RetryPolicyDocument = {
  cairn: 1,
  policy: 'default',
  buckets: Object.fromEntries(buckets.map((bucket) => [bucket, retried[bucket] ?? { retry: false, escalate: 'triage' }])),
  limits: { perStep: 8, perRun: 25, elapsed: 6 * 60 * MINUTE_MS },
  onExhausted: ['fallback', 'reduce', { review: 'recovery' }],
};
