import type { StepDocument } from '../document.js';
import type { Plan, PlannedStep } from '../plan.js';
import { at } from '../pointer.js';
import type { Problems } from '../problems.js';

const KINDS = ['task', 'decide', 'effect', 'wait', 'review', 'emit'] as const;
const TRIGGER_KINDS = ['event', 'signal', 'callback', 'timer'] as const;
/** What only a step with a handler can obey. A value that equals the default says nothing, and is not seen here. */
const OF_ATTEMPTS = ['timeout', 'lease', 'retry', 'fallback'] as const;
const COMBINATIONS = ['any', 'all', 'atLeast'] as const;

/** Rules that span fields: exactly one kind, fields that belong to a kind, what a class forbids, what is not there yet. */
export function lintKinds(plan: Plan, problems: Problems): void {
  for (const step of plan.steps) {
    const { document, pointer } = step;
    exactlyOne(document, KINDS, pointer, 'a step', problems);
    lintFields(plan, step, document, pointer, problems);
    if (document.wait !== undefined) lintCombination(document.wait, at(pointer, 'wait'), problems);
  }
}

function lintFields(plan: Plan, step: PlannedStep, document: StepDocument, pointer: string, problems: Problems): void {
  if (plan.class === 'short' && (step.kind === 'wait' || step.kind === 'review'))
    problems.error(pointer, 'short-class', `a run of class short has no ${step.kind}; leave the class out`);
  if (document.repeat !== undefined) {
    if (document.task === undefined) problems.error(at(pointer, 'repeat'), 'not_allowed', 'only a task repeats');
    else if (document.repeat.max === undefined && !problems.refusedAt(at(pointer, 'repeat', 'max')))
      problems.error(at(pointer, 'repeat'), 'loop-unbounded', 'a loop says how often it turns at most: max, 1 to 100');
  }
  const handled = document.task !== undefined || document.decide !== undefined || document.effect !== undefined;
  if (document.output !== undefined && document.decide !== undefined)
    problems.error(at(pointer, 'output'), 'not_allowed', 'what a decision answers is {choice, because}, with one of its choices');
  if (document.output !== undefined && !handled)
    problems.error(
      at(pointer, 'output'),
      'not_yet',
      'the result of a wait, a review or an emit is not checked by a schema in this release',
    );
  for (const field of OF_ATTEMPTS) {
    if (document[field] !== undefined && !handled && (step.kind === 'wait' || step.kind === 'review' || step.kind === 'emit'))
      problems.error(at(pointer, field), 'not_allowed', `no handler works for this ${step.kind}, so it has no ${field}`);
  }
  lintFallback(step, document, at(pointer, 'fallback'), problems);
  if (step.side && document.after !== undefined)
    problems.error(at(pointer, 'after'), 'not_allowed', 'a side step starts when it is named, and has no after');
  if (step.join.k > step.after.length)
    problems.error(at(pointer, 'join'), 'join', `waits for ${step.join.k} of ${step.after.length} steps`);
}

/** An alternative that is what the step does anyway would be another try that nobody gave a reason for. */
function lintFallback({ queue }: PlannedStep, { fallback }: StepDocument, pointer: string, problems: Problems): void {
  for (const [i, one] of (fallback ?? []).entries()) {
    if (one !== null && one.params === undefined && one.queue === queue && queue !== undefined)
      problems.error(at(pointer, i), 'not_allowed', `queue ${queue} with the step's own params is no alternative: it is the step itself`);
  }
}

function lintCombination(wait: NonNullable<StepDocument['wait']>, pointer: string, problems: Problems): void {
  exactlyOne(wait, COMBINATIONS, pointer, 'a wait', problems);
  const lists = [
    [wait.any, at(pointer, 'any')],
    [wait.all, at(pointer, 'all')],
    [wait.atLeast?.of, at(pointer, 'atLeast', 'of')],
  ] as const;
  for (const [list, where] of lists) {
    const names = new Set<string>();
    for (const [i, trigger] of (list ?? []).entries()) {
      exactlyOne(trigger, TRIGGER_KINDS, at(where, i), 'a trigger', problems);
      const name = trigger.callback?.name;
      if (name === undefined) continue;
      if (names.has(name)) problems.error(at(where, i, 'callback', 'name'), 'duplicate-id', `the wait has a callback ${name} already`);
      names.add(name);
    }
  }
  const { atLeast } = wait;
  if (atLeast !== undefined && atLeast.k > atLeast.of.length)
    problems.error(at(pointer, 'atLeast', 'k'), 'join', `waits for ${atLeast.k} of ${atLeast.of.length} triggers`);
  if (wait.deadline !== undefined && wait.noDeadline !== undefined)
    problems.error(at(pointer, 'noDeadline'), 'not_allowed', 'there is a deadline');
  if (wait.deadline !== undefined && wait.onDeadline === undefined && !problems.refusedAt(at(pointer, 'onDeadline')))
    problems.error(at(pointer, 'onDeadline'), 'required', 'a deadline says what happens if nothing comes: step, value, fail or giveUp');
  if (wait.deadline === undefined && wait.onDeadline !== undefined)
    problems.error(at(pointer, 'onDeadline'), 'not_allowed', 'there is no deadline');
  if (wait.deadline === undefined && wait.keepOpen === true)
    problems.error(at(pointer, 'keepOpen'), 'not_allowed', 'a wait that collects until its deadline needs one');
}

/** Parts that were refused are missing here: then their own error stands, and this one would only repeat it. */
function exactlyOne<K extends string>(
  object: { readonly [kind in K]?: unknown },
  kinds: readonly K[],
  pointer: string,
  what: string,
  problems: Problems,
): void {
  const found = kinds.filter((kind) => object[kind] !== undefined);
  if (found.length === 1) return;
  if (found.length === 0 && problems.refusedAt(pointer)) return;
  problems.error(
    pointer,
    'one_kind',
    `${what} has exactly one of ${kinds.join(', ')}${found.length === 0 ? '' : `, not ${found.join(' and ')}`}`,
  );
}
