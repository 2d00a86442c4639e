import {
  durationMs,
  type JsonPatchOp,
  type PlannedReview,
  type PlannedStep,
  type PlannedWait,
  type PolicyName,
} from '@cairn/domain-definition';
import { parseRfc3339, type Json } from '@cairn/kernel';
import type { RunState } from '../state.js';

/** Parts of a step that say how it is dealt with, not what its handlers are given. */
const rules = ['timeout', 'retry', 'deadline'] as const;
type Rule = (typeof rules)[number];

export const isRule = (part: string): part is Rule => (rules as readonly string[]).includes(part);

/** Where a change of one is: it stands on the step, as a whole. */
const ruleOf = ({ path }: JsonPatchOp): string => path.slice(1);

/** What a change gives a step's work; the rest is about the step itself. */
export const ofWork = (ops: readonly JsonPatchOp[] | undefined): readonly JsonPatchOp[] | undefined =>
  ops?.some((op) => isRule(ruleOf(op))) === true ? ops.filter((op) => !isRule(ruleOf(op))) : ops;

/** A step as this path has it: with the time limit, the policy and the deadline that branches have given it (C-MODIFIED). */
export function asChanged({ path }: Pick<RunState, 'path'>, step: PlannedStep): PlannedStep {
  return withRules(step, path.changed.get(step.id) ?? []);
}

/** The step under the rules that the changes give it, the last of each kind. The planner has looked at them before: others change nothing. */
export function withRules(step: PlannedStep, ops: readonly JsonPatchOp[]): PlannedStep {
  let changed = step;
  for (const op of ops) if (isRule(ruleOf(op)) && 'value' in op) changed = withRule(changed, ruleOf(op) as Rule, op.value);
  return changed;
}

function withRule(step: PlannedStep, rule: Rule, value: Json): PlannedStep {
  if (rule === 'timeout') return { ...step, timeoutMs: durationMs(value) ?? step.timeoutMs };
  if (rule === 'retry') return { ...step, retry: policyName(value) ?? step.retry };
  const { wait, review } = step;
  return {
    ...step,
    ...(wait === undefined ? {} : { wait: { ...wait, ...deadlineOf(value) } }),
    ...(review === undefined ? {} : { review: { ...review, deadlineMs: durationMs(value) ?? review.deadlineMs } }),
  };
}

function deadlineOf(value: Json): Partial<PlannedWait> {
  const ms = durationMs(value);
  if (ms !== undefined) return { deadline: { kind: 'after', ms } };
  const at = instantOf(value);
  return at === undefined
    ? {}
    : { deadline: { kind: 'at', at: { stepRefs: [], constant: true, evaluate: () => ({ ok: true, value: at }) } } };
}

const instantOf = (value: Json): string | undefined => {
  const at = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly at?: Json }).at : undefined;
  return typeof at === 'string' && parseRfc3339(at) !== undefined ? at : undefined;
};

/** `name`, or `name@version`. */
export function policyName(value: Json): PolicyName | undefined {
  const [, name, version] = typeof value === 'string' ? (/^([a-z][a-z0-9-]{0,62})(?:@([1-9][0-9]{0,8}))?$/.exec(value) ?? []) : [];
  if (name === undefined) return undefined;
  return version === undefined ? { name } : { name, version: Number(version) };
}

/** Why a step cannot be given that; `undefined`: it can. */
export function ruleProblem(step: PlannedStep, rule: Rule, value: Json): { readonly rule: string; readonly says: string } | undefined {
  switch (rule) {
    case 'timeout':
      return durationMs(value) === undefined ? { rule: 'duration', says: `timeout is ${A_DURATION}` } : undefined;
    case 'retry':
      return policyName(value) === undefined ? { rule: 'type', says: 'retry is a policy: its name, or name@version' } : undefined;
    case 'deadline':
      return deadlineProblem(step, value);
  }
}

const A_DURATION = 'a duration: 10s, 5m, 2h, 14d, or whole milliseconds; not 0, and at most 5 years';

function deadlineProblem({ wait }: { readonly wait?: PlannedWait; readonly review?: PlannedReview }, value: Json) {
  if (durationMs(value) !== undefined || (wait !== undefined && instantOf(value) !== undefined)) return undefined;
  return { rule: 'duration', says: `deadline is ${A_DURATION}${wait === undefined ? '' : ', or {"at": an RFC 3339 time}'}` };
}
