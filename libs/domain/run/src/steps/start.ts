import type { PlannedStep, Scope } from '@cairn/domain-definition';
import { idOf, type Json } from '@cairn/kernel';
import { changedWork } from '../branches/evolve.js';
import type { Draft } from '../draft.js';
import type { Occurrence, SideEffect, Usage } from '../shared-fields.js';
import { parseOccurrence, type StepWork } from '../state.js';

/** Failures that no other try can mend: the definition itself has no answer (`capabilities.md` §3.1). */
export const DEFINITION_ERROR = 'definition_error';

/** What every attempt of an occurrence is given, evaluated, as branches have changed it; `problem` where an expression has no answer. */
export function workOf(draft: Draft, step: PlannedStep, scope: Scope): { readonly work: StepWork; readonly problem?: string } {
  const input = step.input.evaluate(scope);
  const params = step.params.evaluate(scope);
  const work: StepWork = {
    queue: step.queue ?? '',
    input: input.ok ? input.value : null,
    params: params.ok ? params.value : {},
    ...(step.purpose === undefined ? {} : { purpose: step.purpose }),
  };
  if (!input.ok) return { work, problem: `input: ${input.error}` };
  return params.ok ? changedWork(work, draft.state.path.changed.get(step.id)) : { work, problem: `params: ${params.error}` };
}

/** Starts the first attempt of a task's occurrence with its input evaluated. An expression without answer is a failed attempt. */
export function startTask(
  draft: Draft,
  step: PlannedStep,
  occurrence: Occurrence,
  turn?: number,
  edit: (input: Json) => Json = (input) => input,
): void {
  const { work: asWritten, problem } = workOf(draft, step, draft.scope(step.stepRefs, turn === undefined ? {} : { turn }));
  const work = { ...asWritten, input: edit(asWritten.input) };
  const attemptId = startAttempt(draft, occurrence, work);
  if (problem !== undefined) failAttempt(draft, { step: occurrence, attemptId, code: DEFINITION_ERROR, message: problem });
}

/** The next attempt of a step, with the given work; numbers count on over the whole ancestry. */
export function startAttempt(draft: Draft, step: Occurrence, work: StepWork): string {
  const attempt = (draft.state.path.steps.get(step)?.attempts ?? 0) + 1;
  const attemptId = idOf('attempt', draft.context.entropy, step, attempt);
  const { guidance, input, params, purpose, queue } = work;
  const effect = parseOccurrence(step).part === undefined ? undefined : work.effect;
  // In the order of canonical keys: the two events of every step take the serialiser's fast path.
  const about = effect === undefined ? {} : { effect };
  const told = guidance === undefined ? {} : { guidance };
  const data = { attempt, attemptId, ...about, ...told, input, params, ...(purpose === undefined ? {} : { purpose }), queue, step };
  draft.add({ type: 'StepStarted', version: 1, data });
  return attemptId;
}

export interface DecidedFailure {
  readonly step: Occurrence;
  readonly attemptId: string;
  readonly code: string;
  readonly message: string;
  readonly errors?: Json;
  /** Default `none`: the attempt has not left this house. */
  readonly sideEffect?: SideEffect;
  readonly usage?: Usage;
}

/** Fails an attempt in the decider's name. */
export function failAttempt(draft: Draft, { step, attemptId, code, message, errors, sideEffect = 'none', usage }: DecidedFailure): void {
  draft.add({
    type: 'StepFailed',
    version: 1,
    data: {
      step,
      attemptId,
      failure: { by: 'decider', code, message, sideEffect, ...(errors === undefined ? {} : { details: { errors } }) },
      ...(usage === undefined ? {} : { usage }),
    },
  });
}
