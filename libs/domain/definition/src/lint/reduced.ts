import type { Plan } from '../plan.js';
import { at } from '../pointer.js';
import type { Problems } from '../problems.js';

/** C-REDUCED: a path has a name of its own, drops steps that are there to be dropped, and is as plain as a path can be. */
export function lintReduced(plan: Plan, problems: Problems): void {
  const first = new Map<string, number>();
  for (const [i, { id }] of plan.reduced.entries()) {
    if (typeof id !== 'string') continue; // Refused before.
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, i);
    else problems.error(at('/reduced', i, 'id'), 'duplicate-id', `path ${earlier} is named ${id} too`);
  }
  for (const [i, path] of (plan.definition.reduced ?? []).entries()) {
    for (const [n, id] of path.drops.entries()) {
      const step = id === null ? undefined : plan.step(id);
      const pointer = at('/reduced', i, 'drops', n);
      if (step === undefined) {
        if (id !== null) problems.error(pointer, 'unknown-ref', `there is no step ${id}`);
      } else if (step.reduced !== undefined) problems.error(pointer, 'not_allowed', `${id} is a step of the reduced path ${step.reduced}`);
      else if (step.side) problems.error(pointer, 'not_allowed', `${id} is a side step, which nothing waits for`);
    }
  }
  for (const { id, side, reduced, pointer } of plan.steps) {
    if (side && reduced !== undefined)
      problems.error(at(pointer, 'side'), 'not_allowed', `${id}: a reduced path has no side steps; declare it among the workflow's`);
  }
}
