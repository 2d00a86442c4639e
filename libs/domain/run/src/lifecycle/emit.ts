import type { PlannedStep } from '@cairn/domain-definition';
import { idOf, isKey } from '@cairn/kernel';
import type { Draft } from '../draft.js';

/** Emits that may lead to each other, one after another: above this a loop of workflows is refused (`capabilities.md` §3.2). */
export const HOPS_MAX = 16;

/** Tells the world: `EventEmitted`, which settles its step. The relay publishes it from the history. */
export function emitEvent(
  draft: Draft,
  step: PlannedStep,
  emit: NonNullable<PlannedStep['emit']>,
): { readonly problem: string } | undefined {
  const scope = draft.scope(step.stepRefs);
  const data = emit.data.evaluate(scope);
  if (!data.ok) return { problem: `data: ${data.error}` };
  const key = emit.key?.evaluate(scope);
  if (key !== undefined && !key.ok) return { problem: `key: ${key.error}` };
  if (key !== undefined && !isKey(key.value)) return { problem: 'key: 1 to 256 characters without controls' };
  const hops = (draft.state.started?.cause.hops ?? 0) + 1;
  if (hops > HOPS_MAX) return { problem: `hops: more than ${HOPS_MAX} runs have started each other` };
  draft.add({
    type: 'EventEmitted',
    version: 1,
    data: {
      eventId: idOf('emit', draft.state.runId, draft.state.branch, step.id),
      step: step.id,
      type: emit.type,
      ...(key === undefined ? {} : { key: key.value as string }),
      data: data.value,
      hops,
    },
  });
  return undefined;
}
