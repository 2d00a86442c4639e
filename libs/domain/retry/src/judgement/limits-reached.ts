import { epochMsOf } from '@cairn/kernel';
import type { RetryLimits, RetryRule } from '../policy/document.js';
import { PAUSE_MAX_MS } from '../policy/limits.js';
import type { NextStart } from './backoff.js';
import type { FailedAttempt } from './failed-attempt.js';

/**
 * The limit that forbids another attempt, with its numbers as a justification cites them (`attempts 6 of 6`), or `undefined`. Everything
 * is counted in the ledger: over all branches, and successes do not count.
 */
export function limitReached(rule: RetryRule, limits: RetryLimits, failed: FailedAttempt, next: NextStart): string | undefined {
  const { attempt, failedInRun, usd = 0 } = failed;
  if (attempt >= rule.attempts) return `attempts ${attempt} of ${rule.attempts}`;
  if (attempt >= limits.perStep) return `perStep ${attempt} of ${limits.perStep}`;
  if (failedInRun >= limits.perRun) return `perRun ${failedInRun} of ${limits.perRun}`;
  if (next.kind === 'too_far') return `pause ${next.waitMs} of ${PAUSE_MAX_MS} ms`;
  const elapsed = epochMsOf(next.notBefore) - epochMsOf(failed.firstFailedAt);
  const elapsedMax = Math.min(limits.elapsed, rule.elapsed ?? limits.elapsed);
  if (elapsed > elapsedMax) return `elapsed ${elapsed} of ${elapsedMax} ms`;
  if (limits.usd !== undefined && usd > limits.usd) return `usd ${usd} of ${limits.usd}`;
  return undefined;
}
