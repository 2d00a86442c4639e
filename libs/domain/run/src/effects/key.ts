import { EFFECT_KEY_SAYS, isEffectKey, type PlannedStep } from '@cairn/domain-definition';
import type { Draft } from '../draft.js';

/** The key that an effect's template gives now. */
export function effectKeyOf(draft: Draft, step: PlannedStep): string | { readonly problem: string } {
  const key = step.effect?.key.evaluate(draft.scope(step.stepRefs));
  if (key === undefined) return { problem: 'key: the step has none' };
  if (!key.ok) return { problem: `key: ${key.error}` };
  return isEffectKey(key.value) ? key.value : { problem: `key: ${EFFECT_KEY_SAYS}` };
}
