import type { JsonObject } from '@cairn/kernel';
import type { ExhaustedEnd, ExhaustedStep } from '../policy/document.js';
import type { WaysOn } from './ways-on.js';

/** What follows the last try. `expectedChange`: what is different on a way on; an end has none. */
export type AfterLast =
  | { readonly decision: 'fallback' | 'reduce_scope'; readonly change: JsonObject; readonly expectedChange: string }
  /** `queue`: who is asked. */
  | { readonly decision: 'escalate'; readonly queue: string }
  | { readonly decision: 'block' }
  | { readonly decision: 'give_up' };

export interface Closed {
  /** Why no other try may be made, by a limit of the policy: the next alternative would be one. A reduced path tries nothing again. */
  readonly fallback?: string;
  /** Why none of the ways may be gone: what happened outside is in doubt, and they would leave it behind. */
  readonly all?: string;
}

/**
 * The first of `onExhausted` that can be done (C-EXHAUSTED): the step's next alternative, a reduced path, or else the end, which every
 * policy has. `passedOver`: why a way that is left was not gone.
 */
export function afterLast(
  steps: readonly ExhaustedStep[],
  { fallback: [next], reduced }: WaysOn,
  closed: Closed,
): AfterLast & { readonly passedOver?: string } {
  let passedOver: string | undefined;
  for (const step of steps) {
    if (isEnd(step)) return { ...endOf(step), ...(passedOver === undefined ? {} : { passedOver }) };
    const path = step === 'fallback' ? undefined : reduced.find(({ id }) => step === 'reduce' || step === `reduce:${id}`);
    if (step === 'fallback' ? next === undefined : path === undefined) continue;
    const why = closed.all ?? (step === 'fallback' ? closed.fallback : undefined);
    if (why !== undefined) passedOver ??= `no ${step === 'fallback' ? 'fallback' : 'reduced scope'}: ${why}`;
    else if (path !== undefined) return reduceTo(path);
    else if (next !== undefined) return { decision: 'fallback', change: { fallback: next.index }, expectedChange: next.expects };
  }
  return { decision: 'block' }; // No policy that is applied gets here.
}

const reduceTo = ({ id, drops }: WaysOn['reduced'][number]): AfterLast => ({
  decision: 'reduce_scope',
  change: { reduce: id },
  expectedChange: `reduced_scope: path ${id}, without ${drops.join(', ')}`,
});

const endOf = (end: ExhaustedEnd): AfterLast => (typeof end === 'object' ? { decision: 'escalate', queue: end.review } : { decision: end });

const isEnd = (step: ExhaustedStep): step is ExhaustedEnd => typeof step === 'object' || step === 'block' || step === 'give_up';
