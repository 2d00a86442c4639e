import { applyEdits, type JsonPatchOp, type PlannedReview, type PlannedStep } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { fingerprintOf } from '../effects/fingerprint.js';
import { effectKeyOf } from '../effects/key.js';
import { unsettledRetry } from '../recovery/evolve.js';
import { workOf } from '../steps/start.js';
import type { StepWork } from '../state.js';
import { subjectDigestOf } from './digest.js';
import type { ReviewSubject } from './events.js';

/**
 * What an approval of a step is about: definition, step, canonical input and params, key and fingerprint of its effect, values of the
 * assumptions that it names (`architecture.md` §3.4). Not the state: what happens beside it must not void an approval.
 */
export function subjectOf(draft: Draft, step: PlannedStep, edit: (input: Json) => Json = (input) => input): ReviewSubject {
  // What has begun goes on with what it has, as branches have changed it since.
  const begun = begunWork(draft, step);
  const { work, problem } = begun === undefined ? workOf(draft, step, draft.scope(step.stepRefs)) : { work: begun, problem: undefined };
  const input = edit(work.input);
  const key = step.effect === undefined ? undefined : (work.effect?.key ?? effectKeyOf(draft, step));
  const unknown = problem ?? (key === undefined || typeof key === 'string' ? undefined : key.problem);
  const effect = typeof key === 'string' ? { key, fingerprint: fingerprintOf(step.effect?.fields ?? null, input) } : null;
  const asked = { step: step.id, input, params: work.params, effect };
  return { ...asked, digest: subjectDigestOf(draft.plan.hash, asked), ...(unknown === undefined ? {} : { problem: unknown }) };
}

/** What an attempt that is owed goes out with: its step goes on. Anything else starts from what the definition says. */
export const begunWork = ({ state }: Draft, { id }: PlannedStep): StepWork | undefined =>
  unsettledRetry(state, id) === undefined ? undefined : state.path.steps.get(id)?.work;

/** Edits as a function of the input; edits that do not fit leave it as it is, and its digest then is not the approved one. */
export function editor(review: PlannedReview, edits: readonly JsonPatchOp[] | null): (input: Json) => Json {
  return (input) => {
    if (edits === null) return input;
    const edited = applyEdits(input, review.editable, edits);
    return edited.ok ? edited.value : input;
  };
}
