import { at, compileExpression, type Problems } from '@cairn/domain-definition';
import { isList, type BucketRule, type BucketRules, type RetryPolicyDocument, type RetryRule, type TriedRule } from './document.js';
import { lintModify } from './lint-modify.js';
import { DAY_MS, ELAPSED_MAX_MS, PAUSE_MAX_MS } from './limits.js';
import { totalPauseMs } from './pauses.js';

/** What policies and `where` may look at: the failure alone. */
export const FAILURE_ROOTS = ['failure'] as const;

/** A rule as it may look where its shape was refused in part. */
type Unsure<T> = { readonly [field in keyof T]?: unknown };

/** Says of a policy in canonical form what its schema cannot: that it is complete, and that nothing in it retries without an end. */
export function lint(policy: RetryPolicyDocument, problems: Problems): void {
  const missing = (pointer: string, rule: string, says: string): void => {
    if (!problems.refusedAt(pointer)) problems.error(pointer, rule, says);
  };

  if (policy.buckets.unclassified === undefined)
    missing('/buckets/unclassified', 'required', 'unclassified is missing: what nobody recognises must go to somebody');
  for (const [bucket, held] of Object.entries(policy.buckets)) {
    const pointer = at('/buckets', bucket);
    const places = placesOf(held, pointer);
    for (const { rule, place } of places) lintRule(rule, place, problems, missing);
    if (bucket === 'unclassified') lintUnclassified(places, problems, missing);
    if (problems.refusedAt(pointer)) continue;
    const total = totalPauseMs(places.map(({ rule }) => rule));
    if (total > ELAPSED_MAX_MS)
      problems.error(pointer, 'total_pause', `all pauses of a bucket together last at most 30 days, these ${(total / DAY_MS).toFixed(1)}`);
  }
  lintExhausted(policy.onExhausted, problems, missing);
}

interface Place {
  readonly rule: BucketRule;
  readonly place: string;
}

function placesOf(held: BucketRules | undefined, pointer: string): readonly Place[] {
  if (held === undefined) return [];
  return isList(held) ? held.map((rule, i) => ({ rule, place: at(pointer, i) })) : [{ rule: held, place: pointer }];
}

type Missing = (pointer: string, rule: string, says: string) => void;

function lintRule(rule: BucketRule, pointer: string, problems: Problems, missing: Missing): void {
  if (rule.where !== undefined) {
    const compiled = compileExpression(rule.where, FAILURE_ROOTS);
    if (!compiled.ok) problems.error(at(pointer, 'where'), 'expression', compiled.says);
  }
  if (rule.retry === true || rule.retry === 'modified') lintRetry(rule, pointer, problems, missing);
  lintModify(rule, pointer, problems);
  if (rule.retry !== false) return;
  for (const field of ['attempts', 'expects', 'backoff', 'elapsed', 'needsNewEvidence'] satisfies (keyof RetryRule)[])
    if (field in rule) problems.error(at(pointer, field), 'not_retried', `${field} has no meaning where nothing is retried`);
}

/** A retry says how often, what lies between and why it may help. */
function lintRetry(rule: Unsure<TriedRule>, pointer: string, problems: Problems, missing: Missing): void {
  if (rule.attempts === undefined) missing(at(pointer, 'attempts'), 'required', 'attempts is missing: how many in all, the first included');
  if (rule.expects === undefined)
    missing(at(pointer, 'expects'), 'retry-without-expectation', 'expects is missing: what will be different at the next attempt');
  if (rule.backoff !== undefined)
    lintPause(rule.backoff as { readonly [field: string]: unknown }, at(pointer, 'backoff'), problems, missing);
  else if (rule.retry === true) missing(at(pointer, 'backoff'), 'required', 'backoff is missing: what lies between two attempts');
}

function lintPause(pause: { readonly [field: string]: unknown }, pointer: string, problems: Problems, missing: Missing): void {
  const fromProvider = 'from' in pause || 'else' in pause || 'window' in pause;
  if (!fromProvider) return lintBackoff(pause, pointer, problems, missing);
  for (const field of ['kind', 'first', 'factor', 'cap', 'jitter'])
    if (field in pause) problems.error(at(pointer, field), 'backoff', `${field} belongs into else, for when no provider names a time`);
  if (!('from' in pause)) missing(at(pointer, 'from'), 'required', 'from is missing');
  if (!('else' in pause)) missing(at(pointer, 'else'), 'required', 'else is missing: the pause when no provider names a time');
  else lintBackoff(pause['else'] as { readonly [field: string]: unknown }, at(pointer, 'else'), problems, missing);
}

function lintBackoff(backoff: { readonly [field: string]: unknown }, pointer: string, problems: Problems, missing: Missing): void {
  for (const field of ['kind', 'first'] as const) {
    if (backoff[field] === undefined) missing(at(pointer, field), 'required', `${field} is missing`);
  }
  const { kind, factor, first, cap } = backoff;
  if (kind !== undefined && kind !== 'exponential' && factor !== undefined)
    problems.error(at(pointer, 'factor'), 'backoff', 'only an exponential pause grows by a factor');
  if (typeof first === 'number' && typeof cap === 'number' && cap < first && cap <= PAUSE_MAX_MS)
    problems.error(at(pointer, 'cap'), 'backoff', 'cap lies below first');
}

/** What nobody recognises is never retried on a hunch, and always goes to somebody. */
function lintUnclassified(places: readonly Place[], problems: Problems, missing: Missing): void {
  for (const { rule, place } of places)
    if (rule.retry) problems.error(at(place, 'retry'), 'unclassified-retried', 'a failure that nobody recognised is not retried');
  const last = places.at(-1);
  if (last === undefined) return;
  if (last.rule.codes !== undefined || last.rule.where !== undefined)
    problems.error(last.place, 'unclassified-narrowed', 'the last rule for unclassified holds for all: no codes, no where');
  if (last.rule.escalate === undefined)
    missing(at(last.place, 'escalate'), 'required', 'escalate is missing: who looks at what nobody recognised');
}

/** C-EXHAUSTED: after the last attempt something happens, and it is written. */
function lintExhausted(steps: unknown, problems: Problems, missing: Missing): void {
  const rule = 'retry-without-exhaustion';
  const list = Array.isArray(steps) ? (steps as readonly unknown[]) : [];
  const ends = list.flatMap((step, i) => (step !== null && isEnd(step) ? [i] : []));
  if (ends.length === 0)
    missing('/onExhausted', rule, 'onExhausted ends in {review: queue}, block or give_up: what follows the last attempt');
  for (const i of ends)
    if (i !== list.length - 1) problems.error(at('/onExhausted', i), rule, 'an end stands last, and there is one of them');
}

const isEnd = (step: unknown): boolean => typeof step === 'object' || step === 'block' || step === 'give_up';
