import type { PlannedStep } from '@cairn/domain-definition';
import { idOf, type Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import type { Occurrence, SideEffect } from '../shared-fields.js';
import type { StepWork } from '../state.js';

/** Failures that no other try can mend: the definition itself has no answer (`capabilities.md` §3.1). */
export const DEFINITION_ERROR = 'definition_error';

/** Starts the first attempt of a task's occurrence with its input evaluated. An expression without answer is a failed attempt. */
export function startTask(draft: Draft, step: PlannedStep, occurrence: Occurrence, turn?: number): void {
  const scope = draft.scope(step.stepRefs, turn === undefined ? {} : { turn });
  const input = step.input.evaluate(scope);
  const params = step.params.evaluate(scope);
  const work: StepWork = {
    queue: step.queue ?? '',
    input: input.ok ? input.value : null,
    params: params.ok ? params.value : {},
    ...(step.purpose === undefined ? {} : { purpose: step.purpose }),
  };
  const attemptId = startAttempt(draft, occurrence, work);
  if (!input.ok) failAttempt(draft, occurrence, attemptId, DEFINITION_ERROR, `input: ${input.error}`);
  else if (!params.ok) failAttempt(draft, occurrence, attemptId, DEFINITION_ERROR, `params: ${params.error}`);
}

/** The next attempt of a step, with the given work; numbers count on over the whole ancestry. */
export function startAttempt(draft: Draft, step: Occurrence, work: StepWork): string {
  const attempt = (draft.state.path.steps.get(step)?.attempts ?? 0) + 1;
  const attemptId = idOf('attempt', draft.context.entropy, step, attempt);
  const { input, params, purpose, queue } = work;
  // In the order of canonical keys: the two events of every step take the serialiser's fast path.
  const data = { attempt, attemptId, input, params, ...(purpose === undefined ? {} : { purpose }), queue, step };
  draft.add({ type: 'StepStarted', version: 1, data });
  return attemptId;
}

/** Fails an attempt in the decider's name: nothing was done outside. */
export function failAttempt(draft: Draft, step: Occurrence, attemptId: string, code: string, message: string, evidence?: Json): void {
  const sideEffect: SideEffect = 'none';
  draft.add({
    type: 'StepFailed',
    version: 1,
    data: {
      step,
      attemptId,
      failure: { by: 'decider', code, message, sideEffect, ...(evidence === undefined ? {} : { details: { errors: evidence } }) },
    },
  });
}
