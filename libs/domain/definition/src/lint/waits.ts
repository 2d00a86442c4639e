import type { Plan } from '../plan.js';
import { at } from '../pointer.js';
import type { Problems } from '../problems.js';
import type { Waivers } from './waivers.js';

/** C-GUARD: a wait says what may end it, how a message finds it, and when it has become doubtful. */
export function lintWaits(plan: Plan, problems: Problems, waivers: Waivers): void {
  for (const { wait, id, pointer: step } of plan.steps) {
    if (wait === undefined) continue;
    const pointer = at(step, 'wait');
    if (problems.refusedAt(pointer)) continue;
    if (wait.deadline === null && wait.noDeadline === undefined) {
      waivers.find(
        'wait-without-deadline',
        id,
        pointer,
        `${id} may wait for ever: say deadline and onDeadline, or noDeadline with a reason`,
      );
    }
    if (wait.staleAfterMs === null && needsStaleness(wait.triggers.map(({ kind }) => kind))) {
      waivers.find('wait-without-staleness', id, pointer, `${id} does not say after what time its assumptions are doubtful: staleAfter`);
    }
    if (wait.staleReview !== undefined) {
      const asked = plan.step(wait.staleReview);
      const where = at(pointer, 'staleReview');
      if (wait.staleAfterMs === null) problems.error(where, 'not_allowed', `${id} never becomes stale: say staleAfter`);
      else if (asked !== undefined && asked.review === undefined)
        problems.error(where, 'not_allowed', `${asked.id} is a ${asked.kind}, and people are asked by a review`);
    }
    if (wait.triggers.some((trigger) => trigger.kind === 'event' && trigger.key === undefined)) {
      waivers.find(
        'wait-without-key',
        id,
        pointer,
        `${id} takes any event of a type, also one that is meant for another run: give the trigger a key`,
      );
    }
  }
}

/** A wait that only sleeps is over at a known time. */
const needsStaleness = (kinds: readonly string[]): boolean => kinds.some((kind) => kind !== 'timer');
