import { isBucket, type Bucket } from '@cairn/domain-definition';
import { prefixedSha256, sha256Hex, type Instant } from '@cairn/kernel';
import { CODE_MAX } from '../../policy/limits.js';
import { isTransient, type JudgedFailure, type Normalised } from './failure.js';
import { recognise } from './recognise.js';
import { retryAfterOf } from './retry-after.js';
import { signalsOf, type Signals } from './signals.js';

/** A failure of which nothing but its own fields is looked at: nobody but us wrote them. */
const NO_SIGNALS: Signals = { headers: new Map(), codes: [], text: '', times: new Map() };

/**
 * What a failure is (C-CLASSIFY). What we saw ourselves counts as it is: a lapsed lease, a time-out, a breach that the decider found. A
 * handler's hint stands, except where it says that the failure may pass and what the failure shows says that it will not; without a hint
 * what it shows decides, and what nobody recognises is `unclassified`, never a guess. Pure; never throws; its cost is bounded (B-28).
 */
export function normalise(failure: JudgedFailure, failedAt: Instant): Normalised {
  const signals = failure.by === 'handler' ? signalsOf(failure) : NO_SIGNALS;
  const bucket = bucketOf(failure, signals);
  const transient = isTransient(bucket);
  const { status } = signals;
  const retryAfter = retryAfterOf(failure.retryAfter, signals, bucket, failedAt);
  const code = cut(failure.code ?? (status === undefined ? bucket : String(status)));
  return {
    bucket,
    ...(transient === undefined ? {} : { transient }),
    sideEffect: failure.sideEffect ?? 'none',
    ...(status === undefined ? {} : { status }),
    code,
    digest: failure.evidence === undefined ? digestOf(bucket, code, status, signals.text) : cut(failure.evidence),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

function bucketOf(failure: JudgedFailure, signals: Signals): Bucket {
  switch (failure.by) {
    case 'lease':
      return 'handler_lost';
    case 'timeout':
      return 'timeout';
    case 'decider':
      return hintOf(failure) ?? 'unclassified';
    case 'handler': {
      const hint = hintOf(failure);
      const shown = recognise(signals);
      if (hint === undefined || hint === 'unclassified') return shown ?? 'unclassified';
      return isTransient(hint) === true && shown !== undefined && isTransient(shown) === false ? shown : hint;
    }
  }
}

/** The bucket that was named, as hint or as code. */
function hintOf({ bucket, code }: JudgedFailure): Bucket | undefined {
  if (isBucket(bucket)) return bucket;
  return isBucket(code) ? code : undefined;
}

/** Two failures that differ in numbers, ids and times alone show the same. */
function digestOf(bucket: Bucket, code: string, status: number | undefined, text: string): string {
  const masked = text.replaceAll(/\b[0-9a-f-]*\d[0-9a-z-]*\b/g, '#');
  return prefixedSha256(sha256Hex(JSON.stringify([bucket, code, status ?? null, masked])));
}

const cut = (text: string): string => text.slice(0, CODE_MAX).toWellFormed();
