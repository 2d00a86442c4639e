import type { Bucket, Justification } from '@cairn/domain-definition';
import type { Instant } from '@cairn/kernel';
import type { ExhaustedEnd, ExhaustedStep, RetryPolicyDocument } from '../policy/document.js';
import type { PolicyState } from '../policy/evolve.js';
import { nextStart } from './backoff.js';
import { newEvidence } from './evidence.js';
import type { FailedAttempt } from './failed-attempt.js';
import { limitReached } from './limits-reached.js';
import type { Normalised } from './normalise/failure.js';
import { normalise } from './normalise/normalise.js';
import { ruleFor } from './rules.js';

/** What retry-policy thinks should follow, not yet recorded: execution decides whether it comes in time. */
export type Judgement = { readonly bucket: Bucket; readonly justification: Justification } & Outcome;

type Outcome =
  | { readonly decision: 'retry'; readonly notBefore: Instant }
  /** `queue`: who is asked. */
  | { readonly decision: 'escalate'; readonly queue?: string }
  | { readonly decision: 'block' }
  | { readonly decision: 'give_up' };

/**
 * Judges a failure by a policy, in this order: an effect that may have happened is never tried again unless its target de-duplicates; the
 * bucket's rule; the limits; the justification. A retry is an argument: what is expected to change, and, where the rule asks for it, what
 * this failure showed that no earlier one did. Pure, and equal for equal input. `rule` of the justification says what held, and behind `;`
 * the limit that ended it with its numbers: `default@1#rate_limited; attempts 6 of 6`.
 */
export function judgeFailure(failed: FailedAttempt, { name, version, policy }: PolicyState): Judgement {
  const normalised = normalise(failed.failure, failed.failedAt);
  const evidence = newEvidence(normalised, failed.earlier);
  const because = (rule: string, why?: string): Justification => ({
    rule: `${name}@${version}#${rule}${why === undefined ? '' : `; ${why}`}`,
    newEvidence: evidence,
    expectedChange: null,
  });

  if (mayHaveHappened(normalised, failed))
    return {
      bucket: 'effect_unknown',
      decision: 'block',
      justification: because('effect_unknown', `side effect ${normalised.sideEffect}`),
    };

  const { bucket } = normalised;
  const { rule, name: ruleName } = ruleFor(policy, failed.failure, normalised);
  if (!rule.retry || ruleName.startsWith('unclassified')) {
    const outcome = rule.escalate === undefined ? afterLast(policy.onExhausted) : escalate(rule.escalate);
    return { bucket, ...outcome, justification: because(ruleName) };
  }

  const next = nextStart(rule.backoff, { ...failed, ...pick(normalised) });
  const limit = limitReached(rule, policy.limits, failed, next);
  if (limit !== undefined || next.kind === 'too_far')
    return { bucket, ...afterLast(policy.onExhausted), justification: because(ruleName, limit) };

  const unjustified =
    rule.expects === undefined
      ? 'no expected change'
      : rule.needsNewEvidence === true && evidence.length === 0
        ? 'no new evidence'
        : undefined;
  if (unjustified !== undefined)
    return { bucket, ...escalate(rule.escalate ?? whoTriages(policy)), justification: because(ruleName, unjustified) };
  return {
    bucket,
    decision: 'retry',
    notBefore: next.notBefore,
    justification: { ...because(ruleName), expectedChange: rule.expects ?? null },
  };
}

/** Reconcile first, where it is declared; until that runs, a person decides (`architecture.md` §3.3). */
const mayHaveHappened = ({ sideEffect }: Normalised, { guarantee }: FailedAttempt): boolean =>
  sideEffect !== 'none' && guarantee !== 'idempotent';

const pick = ({ retryAfter }: Normalised): { readonly retryAfter?: Instant } => (retryAfter === undefined ? {} : { retryAfter });

const escalate = (queue: string | undefined): Outcome => ({ decision: 'escalate', ...(queue === undefined ? {} : { queue }) });

/** Who looks at what nobody recognised also looks at a retry that nobody can justify. */
function whoTriages({ buckets }: RetryPolicyDocument): string | undefined {
  return [buckets.unclassified ?? []].flat().at(-1)?.escalate;
}

/** The end of `onExhausted` (C-EXHAUSTED). What stands before it is passed over: no step can declare a fallback or a reduced scope yet. */
function afterLast(steps: readonly ExhaustedStep[]): Outcome {
  const end = steps.find(isEnd) ?? 'block';
  if (typeof end === 'object') return escalate(end.review);
  return { decision: end };
}

const isEnd = (step: ExhaustedStep): step is ExhaustedEnd => typeof step === 'object' || step === 'block' || step === 'give_up';
