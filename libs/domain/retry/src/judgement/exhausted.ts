import { canon, type JsonObject } from '@cairn/kernel';
import type { ExhaustedEnd, ExhaustedStep } from '../policy/document.js';
import { reasonText } from './reason-text.js';
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
  /** Single ways that execution could not go. */
  readonly refused: readonly { readonly change: JsonObject; readonly says: string }[];
}

/**
 * The first of `onExhausted` that can be done (C-EXHAUSTED): the step's next alternative, a reduced path, or else the end, which every
 * policy has. `passedOver`: why a way that is left was not gone, the first of such reasons.
 */
export function afterLast(steps: readonly ExhaustedStep[], ways: WaysOn, closed: Closed): AfterLast & { readonly passedOver?: string } {
  let passedOver: string | undefined;
  for (const step of steps) {
    if (isEnd(step)) return { ...endOf(step), ...(passedOver === undefined ? {} : { passedOver }) };
    const name = step === 'fallback' ? 'fallback' : 'reduced scope';
    for (const way of step === 'fallback' ? ways.fallback.map(fallBackTo) : reducedOf(step, ways).map(reduceTo)) {
      const limit = step === 'fallback' ? closed.fallback : undefined;
      const why = closed.all ?? limit ?? closed.refused.find(({ change }) => canon(change) === canon(way.change))?.says;
      if (why === undefined) return { ...way, ...(passedOver === undefined ? {} : { passedOver }) };
      passedOver ??= `no ${name}: ${reasonText(why)}`;
    }
  }
  return { decision: 'block' }; // No policy that is applied gets here.
}

type Way = Extract<AfterLast, { readonly change: JsonObject }>;

const fallBackTo = ({ index, expects }: WaysOn['fallback'][number]): Way => ({
  decision: 'fallback',
  change: { fallback: index },
  expectedChange: expects,
});

const reducedOf = (step: string, { reduced }: WaysOn): WaysOn['reduced'] =>
  reduced.filter(({ id }) => step === 'reduce' || step === `reduce:${id}`);

const reduceTo = ({ id, drops }: WaysOn['reduced'][number]): Way => ({
  decision: 'reduce_scope',
  change: { reduce: id },
  expectedChange: `reduced_scope: path ${id}, without ${drops.join(', ')}`,
});

const endOf = (end: ExhaustedEnd): AfterLast => (typeof end === 'object' ? { decision: 'escalate', queue: end.review } : { decision: end });

const isEnd = (step: ExhaustedStep): step is ExhaustedEnd => typeof step === 'object' || step === 'block' || step === 'give_up';
