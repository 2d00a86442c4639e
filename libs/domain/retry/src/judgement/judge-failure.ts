import { invariant, type Instant, type Json, type JsonObject } from '@cairn/kernel';
import type { Bucket, Justification } from '@cairn/domain-definition';
import type { ModifiedRule, RetryPolicyDocument } from '../policy/document.js';
import type { PolicyState } from '../policy/evolve.js';
import { nextStart, type NextStart } from './backoff.js';
import { changeWork } from './changed-work.js';
import { reasonText } from './reason-text.js';
import { newEvidence } from './evidence.js';
import { afterLast } from './exhausted.js';
import type { FailedAttempt } from './failed-attempt.js';
import { limitReached, policyLimitReached } from './limits-reached.js';
import type { Normalised } from './normalise/failure.js';
import { normalise } from './normalise/normalise.js';
import { ruleFor } from './rules.js';
import { NO_WAYS } from './ways-on.js';

/** What retry-policy thinks should follow, not yet recorded: execution decides whether it comes in time. */
export type Judgement = { readonly bucket: Bucket; readonly justification: Justification } & Outcome;

type Outcome =
  | { readonly decision: 'retry'; readonly notBefore: Instant }
  /** `change` is `{patch}` of the attempt's input, params and queue. */
  | { readonly decision: 'retry_modified'; readonly change: JsonObject; readonly notBefore?: Instant }
  /** `{fallback: i}`, the step's alternative; `{reduce: id}`, the workflow's reduced path. */
  | { readonly decision: 'fallback' | 'reduce_scope'; readonly change: JsonObject }
  /** `queue`: who is asked. */
  | { readonly decision: 'escalate'; readonly queue?: string }
  | { readonly decision: 'block' }
  | { readonly decision: 'give_up' };

/**
 * Judges a failure by a policy, in this order: an effect that may have happened is never tried again unless its target de-duplicates; the
 * bucket's rule; the limits; the justification. A retry is an argument: what is expected to change, and, where the rule asks for it, what
 * this failure showed that no earlier one did. Pure, and equal for equal input. `rule` of the justification says what held, and behind `;`
 * the limit that ended it with its numbers: `default@1#rate_limited; attempts 6 of 6`; behind another `;` why a way that was left was not gone.
 */
export function judgeFailure(failed: FailedAttempt, { name, version, policy }: PolicyState): Judgement {
  const normalised = normalise(failed.failure, failed.failedAt);
  const evidence = newEvidence(normalised, failed.earlier);
  const because = (rule: string, ...why: readonly (string | undefined)[]): Justification => ({
    rule: [`${name}@${version}#${rule}`, ...why].filter((part) => part !== undefined).join('; '),
    newEvidence: evidence,
    expectedChange: null,
  });
  const blocked = (): Judgement => ({
    bucket: 'effect_unknown',
    decision: 'block',
    justification: because('effect_unknown', `side effect ${normalised.sideEffect === 'applied' ? 'applied' : 'unknown'}`),
  });

  const doubt = doubtOf(normalised, failed);
  if (normalised.sideEffect !== 'none' && failed.guarantee !== 'idempotent') return blocked();

  const { bucket } = normalised;
  const { rule, name: ruleName } = ruleFor(policy, failed.failure, normalised);
  const exhausted = (why?: string): Judgement => {
    const limit = policyLimitReached(policy.limits, failed, failed.failedAt);
    const { passedOver, ...after } = afterLast(policy.onExhausted, failed.ways ?? NO_WAYS, {
      refused: failed.refused ?? [],
      ...(doubt === undefined ? {} : { all: `side effect ${doubt}` }),
      ...(limit === undefined ? {} : { fallback: limit }),
    });
    const justification = because(ruleName, why ?? (passedOver === undefined ? undefined : 'not retried'), passedOver);
    if (!('expectedChange' in after)) return { bucket, ...after, justification };
    const { expectedChange, ...way } = after;
    return { bucket, ...way, justification: { ...justification, expectedChange } };
  };
  if (!rule.retry || ruleName.startsWith('unclassified')) {
    if (rule.escalate === undefined) return exhausted();
    return { bucket, ...escalate(rule.escalate), justification: because(ruleName) };
  }

  const { failedEventId, failedAt } = failed;
  const { attempt } = failed.since ?? failed;
  const next: NextStart =
    rule.backoff === undefined
      ? { kind: 'at', notBefore: failedAt }
      : nextStart(rule.backoff, { attempt, failedEventId, failedAt, ...pick(normalised) });
  const limit = limitReached(rule, policy.limits, failed, next);
  if (limit !== undefined || next.kind === 'too_far') return exhausted(limit);

  const toSomebody = (why: string): Judgement => ({
    bucket,
    ...escalate(rule.escalate ?? whoTriages(policy)),
    justification: because(ruleName, why),
  });
  if (rule.expects === undefined) return toSomebody('no expected change');
  if (rule.needsNewEvidence === true && evidence.length === 0) return toSomebody('no new evidence');
  const justification = { ...because(ruleName), expectedChange: rule.expects };
  if (rule.retry === true) return { bucket, decision: 'retry', notBefore: next.notBefore, justification };

  // Other input under the key of an act that may have happened would be another act.
  if (doubt !== undefined) return blocked();
  const changed = changeOf(rule, failed);
  if (changed.kind === 'same') return exhausted('modify changes nothing');
  if (changed.kind === 'impossible') return toSomebody(changed.says);
  const refused = failed.refused?.find(({ change }) => 'patch' in change);
  if (refused !== undefined) return toSomebody(reasonText(refused.says));
  return {
    bucket,
    decision: 'retry_modified',
    change: { patch: rule.modify as unknown as Json },
    ...(rule.backoff === undefined ? {} : { notBefore: next.notBefore }),
    justification,
  };
}

/** Whether the rule that holds for a failure changes what its attempt was given: then judging needs to know what that was. */
export function changesWork({ failure, failedAt }: Pick<FailedAttempt, 'failure' | 'failedAt'>, { policy }: PolicyState): boolean {
  return ruleFor(policy, failure, normalise(failure, failedAt)).rule.retry === 'modified';
}

function changeOf({ modify }: ModifiedRule, { work, queues = [] }: FailedAttempt): ReturnType<typeof changeWork> {
  invariant(work !== undefined, 'a rule changes the work of an attempt, and nobody said what that was');
  return changeWork(work, modify, queues);
}

/** What is known of the world outside where that is not nothing. Reconcile first, where it is declared (`architecture.md` §3.3). */
function doubtOf({ sideEffect }: Normalised, { inDoubt }: FailedAttempt): 'applied' | 'unknown' | undefined {
  if (sideEffect !== 'none') return sideEffect;
  return inDoubt === true ? 'unknown' : undefined;
}

const pick = ({ retryAfter }: Normalised): { readonly retryAfter?: Instant } => (retryAfter === undefined ? {} : { retryAfter });

const escalate = (queue: string | undefined): Outcome => ({ decision: 'escalate', ...(queue === undefined ? {} : { queue }) });

/** Who looks at what nobody recognised also looks at a retry that nobody can justify. */
function whoTriages({ buckets }: RetryPolicyDocument): string | undefined {
  return [buckets.unclassified ?? []].flat().at(-1)?.escalate;
}
