import type { Plan, PlannedStep } from '../plan.js';
import { at } from '../pointer.js';
import type { Problems } from '../problems.js';
import { sidesNamedBy } from '../proposers.js';

/** Rules about the graph of steps: ids, `after`, side steps. */
export function lintGraph(plan: Plan, problems: Problems): void {
  lintIds(plan, problems);
  lintAfter(plan, problems);
  lintCycles(plan, problems);
  lintSides(plan, problems);
  lintReach(plan, problems);
}

function lintIds(plan: Plan, problems: Problems): void {
  const first = new Map<string, string>();
  const checkpoints = new Map<string, number>();
  for (const { id, index, pointer, checkpoint } of plan.steps) {
    if (typeof id !== 'string') continue; // Refused before.
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, pointer);
    else problems.error(at(pointer, 'id'), 'duplicate-id', `the step at ${earlier} is named ${id} too`);
    if (checkpoint === undefined) continue;
    if (checkpoints.has(checkpoint))
      problems.error(at(pointer, 'checkpoint'), 'duplicate-id', `another step declares the checkpoint ${checkpoint} too`);
    checkpoints.set(checkpoint, index);
  }
}

function lintAfter(plan: Plan, problems: Problems): void {
  for (const { pointer, document } of plan.steps) {
    for (const [i, id] of (document.after ?? []).entries()) {
      if (id !== null && plan.step(id) === undefined) problems.error(at(pointer, 'after', i), 'unknown-ref', `there is no step ${id}`);
    }
  }
}

/** One error for each cycle, at its first step. Walks with a list of its own: 500 steps in a row overflow nothing. */
function lintCycles(plan: Plan, problems: Problems): void {
  const done = new Set<string>();
  for (const start of plan.steps) {
    const path: { step: PlannedStep; next: number }[] = done.has(start.id) ? [] : [{ step: start, next: 0 }];
    const onPath = new Set([start.id]);
    while (path.length > 0) {
      const top = path[path.length - 1] as { step: PlannedStep; next: number };
      const before = plan.step(top.step.after[top.next++] ?? '');
      if (before === undefined && top.next > top.step.after.length) {
        path.pop();
        onPath.delete(top.step.id);
        done.add(top.step.id);
      } else if (before !== undefined && onPath.has(before.id)) {
        const cycle = path.slice(path.findIndex(({ step }) => step.id === before.id)).map(({ step }) => step);
        const first = cycle.reduce((a, b) => (a.index < b.index ? a : b));
        problems.error(
          at(first.pointer, 'after'),
          'cycle',
          `waits for itself: ${[...cycle.map(({ id }) => id), before.id].join(' after ')}`,
        );
      } else if (before !== undefined && !done.has(before.id)) {
        path.push({ step: before, next: 0 });
        onPath.add(before.id);
      }
    }
  }
}

function lintSides(plan: Plan, problems: Problems): void {
  const named = new Map<string, string>();
  for (const step of plan.steps) {
    for (const { side, where } of sidesNamedBy(step)) {
      const pointer = at(step.pointer, ...where);
      const target = plan.step(side);
      if (target === undefined) problems.error(pointer, 'unknown-ref', `there is no step ${side}`);
      else if (!target.side) problems.error(pointer, 'not_side', `${target.id} is on the path; a step that is named here needs side: true`);
      // Of one review's outcomes only one comes about.
      if ((named.get(side) ?? step.id) !== step.id || (named.has(side) && step.wait !== undefined))
        problems.error(pointer, 'not_allowed', `another step names ${side}, and a step runs once`);
      named.set(side, step.id);
    }
  }
  for (const { id, side, pointer } of plan.steps) {
    if (side && !named.has(id))
      problems.error(pointer, 'side-never-named', `${id} is a side step, and no onDeadline, no staleReview and no verdict names it`);
  }
}

/**
 * Steps that can never start: they wait for more steps that may never run (side steps, steps of a reduced path that is not theirs) than their
 * join can spare, for themselves, or their `when` is plain false.
 */
function lintReach(plan: Plan, problems: Problems): void {
  for (const step of plan.steps) {
    const uncertain = step.after.flatMap((id) => plan.step(id) ?? []).filter((before) => !isOnPathOf(before, step));
    const [first] = uncertain;
    if (first !== undefined && step.after.length - uncertain.length < Math.min(step.join.k, step.after.length)) {
      const what = first.side ? `${first.id}, a side step` : `${first.id}, a step of the reduced path ${first.reduced ?? ''}`;
      problems.error(at(step.pointer, 'after'), 'unreachable', `${step.id} waits for ${what}, which may never run`);
    }
    if (step.when?.source.trim() === 'false') problems.error(at(step.pointer, 'when'), 'unreachable', `${step.id} is always skipped`);
  }
}

const isOnPathOf = (before: PlannedStep, step: PlannedStep): boolean =>
  !before.side && (before.reduced === undefined || before.reduced === step.reduced);
