import { isKey } from '@cairn/kernel';
import type { EffectDocument } from './document.js';
import type { PlannedEffect } from './plan.js';
import { STEP_ROOTS, type PlanCompiler } from './plan-compiler.js';
import { at, WHOLE } from './pointer.js';

export function buildEffect(effect: EffectDocument, step: string, pointer: string, compiler: PlanCompiler): PlannedEffect {
  const key = compiler.template(effect.key, STEP_ROOTS, at(pointer, 'key'), step);
  // A key that is written out is checked now, not when the step starts.
  if (typeof effect.key === 'string' && !effect.key.includes('${') && !isKey(effect.key))
    compiler.problems.error(at(pointer, 'key'), 'key', 'a key has 1 to 256 characters without controls');
  return {
    key,
    fields: effect.fields === undefined || effect.fields.includes(WHOLE) ? null : effect.fields,
    // `reconcile` is refused by the lint, and is none until it is built.
    guarantee: effect.guarantee === 'idempotent' ? 'idempotent' : 'none',
  };
}
