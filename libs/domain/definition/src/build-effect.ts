import { isKey } from '@cairn/kernel';
import type { EffectDocument } from './document.js';
import type { PlannedEffect } from './plan.js';
import { STEP_ROOTS, type PlanCompiler } from './plan-compiler.js';
import { at, WHOLE } from './pointer.js';

/** A target is sent `key#1` for suffix 1 (`architecture.md` §3.3): no other key may read like that. */
const LIKE_A_SUFFIX = /#\d+$/;
/** What a key of an effect must be, for people. */
export const EFFECT_KEY_SAYS = 'a key has 1 to 256 characters without controls, and does not end in # and a number';

export const isEffectKey = (text: unknown): text is string => isKey(text) && !LIKE_A_SUFFIX.test(text);

export function buildEffect(effect: EffectDocument, step: string, pointer: string, compiler: PlanCompiler): PlannedEffect {
  const key = compiler.template(effect.key, STEP_ROOTS, at(pointer, 'key'), step);
  // A key that is written out is checked now, not when the step starts.
  if (typeof effect.key === 'string' && !effect.key.includes('${') && !isEffectKey(effect.key))
    compiler.problems.error(at(pointer, 'key'), 'key', EFFECT_KEY_SAYS);
  return {
    key,
    fields: effect.fields === undefined || effect.fields.includes(WHOLE) ? null : effect.fields,
    guarantee: effect.guarantee ?? 'none',
    ...(effect.reconcile === undefined ? {} : { reconcile: effect.reconcile }),
    ...(effect.compensate === undefined ? {} : { compensate: effect.compensate }),
    ...(effect.stub === undefined ? {} : { stub: compiler.template(effect.stub, STEP_ROOTS, at(pointer, 'stub'), step) }),
  };
}
