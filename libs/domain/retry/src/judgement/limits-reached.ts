import { epochMsOf, type Instant } from '@cairn/kernel';
import type { RetryLimits, TriedRule } from '../policy/document.js';
import { PAUSE_MAX_MS } from '../policy/limits.js';
import type { NextStart } from './backoff.js';
import type { FailedAttempt } from './failed-attempt.js';

/**
 * The limit that forbids another attempt of the same kind, with its numbers as a justification cites them (`attempts 6 of 6`), or
 * `undefined`. What a rule allows counts anew with each alternative that a step takes; what the policy allows counts over all of them.
 */
export function limitReached(rule: TriedRule, limits: RetryLimits, failed: FailedAttempt, next: NextStart): string | undefined {
  const { attempt, firstFailedAt } = failed.since ?? failed;
  if (attempt >= rule.attempts) return `attempts ${attempt} of ${rule.attempts}`;
  if (next.kind === 'too_far') return countReached(limits, failed) ?? `pause ${next.waitMs} of ${PAUSE_MAX_MS} ms`;
  const ofRule = (): string | undefined => (rule.elapsed === undefined ? undefined : elapsed(firstFailedAt, next.notBefore, rule.elapsed));
  const sooner = (rule.elapsed ?? Infinity) < limits.elapsed;
  return countReached(limits, failed) ?? (sooner ? ofRule() : undefined) ?? policyLimitReached(limits, failed, next.notBefore) ?? ofRule();
}

/** The limit of the policy that forbids an attempt that would begin at `begins`: over all branches and alternatives, and successes do not count. */
export function policyLimitReached(limits: RetryLimits, failed: FailedAttempt, begins: Instant): string | undefined {
  const { firstFailedAt, usd = 0 } = failed;
  const reached = countReached(limits, failed) ?? elapsed(firstFailedAt, begins, limits.elapsed);
  if (reached !== undefined) return reached;
  return limits.usd !== undefined && usd > limits.usd ? `usd ${usd} of ${limits.usd}` : undefined;
}

function countReached({ perStep, perRun }: RetryLimits, { attempt, failedInRun }: FailedAttempt): string | undefined {
  if (attempt >= perStep) return `perStep ${attempt} of ${perStep}`;
  return failedInRun >= perRun ? `perRun ${failedInRun} of ${perRun}` : undefined;
}

function elapsed(from: Instant, to: Instant, most: number): string | undefined {
  const ms = epochMsOf(to) - epochMsOf(from);
  return ms > most ? `elapsed ${ms} of ${most} ms` : undefined;
}
