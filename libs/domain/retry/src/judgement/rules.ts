import { compileExpression, type Bucket, type Expression } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import { isList, type BucketRule, type RetryPolicyDocument } from '../policy/document.js';
import { FAILURE_ROOTS } from '../policy/lint.js';
import type { JudgedFailure, Normalised } from './normalise/failure.js';

export interface FoundRule {
  readonly rule: BucketRule;
  /** How a justification names it: `rate_limited`, `timeout[1]`. */
  readonly name: string;
}

/** Where a stored policy says nothing, not even for the unclassified: `onExhausted` decides. */
const SILENCE: BucketRule = { retry: false };

/**
 * The rule that holds for a failure: of its bucket's rules the first that is not narrowed to others, else what the policy does about the
 * unclassified, which never retries.
 */
export function ruleFor(policy: RetryPolicyDocument, failure: JudgedFailure, normalised: Normalised): FoundRule {
  const { bucket } = normalised;
  return (
    firstThatHolds(policy, bucket, failure, normalised) ??
    firstThatHolds(policy, 'unclassified', failure, normalised) ?? { rule: SILENCE, name: 'unclassified' }
  );
}

function firstThatHolds(
  policy: RetryPolicyDocument,
  bucket: Bucket,
  failure: JudgedFailure,
  normalised: Normalised,
): FoundRule | undefined {
  const rules = policy.buckets[bucket];
  if (rules === undefined) return undefined;
  if (!isList(rules)) return holds(rules, failure, normalised) ? { rule: rules, name: bucket } : undefined;
  const index = rules.findIndex((rule) => holds(rule, failure, normalised));
  const rule = rules[index];
  return rule === undefined ? undefined : { rule, name: `${bucket}[${index}]` };
}

function holds(rule: BucketRule, failure: JudgedFailure, normalised: Normalised): boolean {
  const { code, status } = normalised;
  if (rule.codes !== undefined && !rule.codes.includes(code) && (status === undefined || !rule.codes.includes(String(status))))
    return false;
  if (rule.where === undefined) return true;
  const result = conditionOf(rule, rule.where)?.evaluate({ failure: scopeOf(failure, normalised) });
  return result?.ok === true && result.value;
}

/** Policies are kept in memory as long as runs need them, and their conditions with them. */
const conditions = new WeakMap<BucketRule, Expression>();

function conditionOf(rule: BucketRule, where: string): Expression | undefined {
  const known = conditions.get(rule);
  if (known !== undefined) return known;
  const compiled = compileExpression(where, FAILURE_ROOTS);
  if (!compiled.ok) return undefined; // Applied by a release whose language had more: it does not hold here.
  conditions.set(rule, compiled.expression);
  return compiled.expression;
}

/** What `where` sees: the failure as it was recorded, with what was made of it. */
function scopeOf({ by, bucket: hint, message, details }: JudgedFailure, normalised: Normalised): Json {
  const { bucket, code, status, sideEffect, retryAfter } = normalised;
  return {
    by,
    bucket,
    code,
    message: message ?? '',
    sideEffect,
    details: (details ?? {}) as Json,
    ...(status === undefined ? {} : { status }),
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
