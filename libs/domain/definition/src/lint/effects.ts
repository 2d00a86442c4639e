import type { Json } from '@cairn/kernel';
import type { EffectDocument, StepDocument } from '../document.js';
import type { Plan } from '../plan.js';
import { at, memberOf, pointerParts, WHOLE } from '../pointer.js';
import type { Problems } from '../problems.js';
import type { Waivers } from './waivers.js';

/** C-EFFECT: an act on the world says what it is for, what its meaning is, and what happens if nobody knows whether it was done. */
export function lintEffects(plan: Plan, problems: Problems, waivers: Waivers): void {
  for (const { id, risk, guardedBy, pointer, document } of plan.steps) {
    const { effect } = document;
    if (effect === undefined) continue;
    const where = at(pointer, 'effect');
    if (document.purpose === undefined && !problems.refusedAt(at(pointer, 'purpose')))
      problems.error(at(pointer, 'purpose'), 'effect-without-purpose', `${id} changes the world outside: say what for, in purpose`);
    lintGuarantee(id, effect, at(where, 'guarantee'), problems, waivers);
    if ((risk === 'high' || risk === 'critical') && guardedBy.length === 0) {
      const says = `${id} has risk ${risk}, and nobody reviews it: a review step that authorises it, or a waiver that says why it may run`;
      waivers.find('effect-without-review', id, at(pointer, 'risk'), says);
    }
    lintFields(effect, document, at(where, 'fields'), problems);
    lintQueues(id, effect, where, problems);
  }
}

function lintGuarantee(id: string, { guarantee, reconcile }: EffectDocument, pointer: string, problems: Problems, waivers: Waivers): void {
  if (guarantee === 'reconcile' && reconcile === undefined) {
    const says = `${id} is reconciled after an unknown outcome: name the queue that finds out, in reconcile`;
    problems.error(pointer.replace(/guarantee$/, 'reconcile'), 'effect-without-reconcile', says);
  }
  if (guarantee !== undefined || problems.refusedAt(pointer)) return;
  const says =
    `${id} does not say what may follow an unknown outcome: idempotent if the target knows a key again, reconcile if somebody can ask it ` +
    'what happened, else none (a person decides)';
  waivers.find('effect-without-guarantee', id, pointer, says);
}

/** A handler that does not look at the kind of its task would act where it is asked to look. */
function lintQueues(id: string, { queue, reconcile, compensate }: EffectDocument, where: string, problems: Problems): void {
  const taken = new Map([[queue, 'queue']]);
  for (const [field, named] of Object.entries({ reconcile, compensate })) {
    if (typeof named !== 'string') continue;
    const other = taken.get(named);
    if (other !== undefined)
      problems.error(at(where, field), 'queue-taken', `${id}: ${field} needs a queue of its own, ${named} is its ${other}`);
    taken.set(named, field);
  }
}

/** A field that the input cannot have would leave its meaning out of the fingerprint without a word. */
function lintFields(effect: EffectDocument, { input }: StepDocument, pointer: string, problems: Problems): void {
  for (const [i, field] of (effect.fields ?? []).entries()) {
    if (typeof field === 'string' && field !== WHOLE && !mayHave(input ?? {}, field))
      // Null: refused before.
      problems.error(at(pointer, i), 'unknown-ref', `the input has no ${field}`);
  }
}

/** Whether a template's value may have something at a pointer: what an expression gives is known only when it runs. */
export function mayHave(template: Json, pointer: string): boolean {
  let here: Json | undefined = template;
  for (const part of pointerParts(pointer)) {
    if (typeof here === 'string' && here.includes('${')) return true;
    here = memberOf(here, part);
  }
  return here !== undefined;
}
