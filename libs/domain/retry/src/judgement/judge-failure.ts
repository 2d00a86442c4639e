import type { Bucket, Justification } from '@cairn/domain-definition';
import { after, type Instant } from '@cairn/kernel';
import type { BucketRule } from '../policy/document.js';
import type { PolicyState } from '../policy/evolve.js';
import { delayMs } from './backoff.js';
import { classify, type JudgedFailure } from './classify.js';

/** A failed attempt and what is known about it. */
export interface FailedAttempt {
  readonly failure: JudgedFailure;
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Event id and time of its `StepFailed`: the pause counts from then. */
  readonly failedEventId: string;
  readonly failedAt: Instant;
}

/** What retry-policy thinks should follow, not yet recorded: execution decides whether it comes in time. */
export type Judgement =
  | { readonly bucket: Bucket; readonly decision: 'retry'; readonly justification: Justification; readonly notBefore: Instant }
  | { readonly bucket: Bucket; readonly decision: 'block'; readonly justification: Justification };

/**
 * Judges a failure by a policy. Pure, and equal for equal input. So far only a lost handler is tried again: it says nothing about the
 * work, so another handler is a change. Everything else blocks, with its reason, for a person to decide; nothing is retried unasked.
 */
export function judgeFailure(failed: FailedAttempt, { name, version, policy }: PolicyState): Judgement {
  const bucket = classify(failed.failure);
  const rule = `${name}@${version}#${bucket}`;
  const newEvidence = [evidenceOf(failed.failure, bucket)];
  const held = policy.buckets[bucket];
  if (!mayRetry(bucket, held) || failed.attempt >= held.attempts)
    return { bucket, decision: 'block', justification: { rule, newEvidence, expectedChange: null } };

  const backoff = 'from' in held.backoff ? held.backoff.else : held.backoff;
  return {
    bucket,
    decision: 'retry',
    justification: { rule, newEvidence, expectedChange: held.expects },
    notBefore: after(failed.failedAt, delayMs(backoff, failed.attempt, failed.failedEventId)),
  };
}

const mayRetry = (bucket: Bucket, held: BucketRule | undefined): held is Extract<BucketRule, { retry: true }> =>
  bucket === 'handler_lost' && held?.retry === true;

function evidenceOf({ code, retryAfter, evidence }: JudgedFailure, bucket: Bucket): Justification['newEvidence'][number] {
  return {
    code: code ?? bucket,
    ...(evidence === undefined ? {} : { digest: evidence }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
