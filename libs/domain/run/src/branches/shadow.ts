import type { PlannedStep } from '@cairn/domain-definition';
import type { Draft } from '../draft.js';
import { effectKeyOf } from '../effects/key.js';
import { entryOf, isSettled } from '../steps/evolve.js';
import type { StepOutput } from '../state.js';
import type { ShadowEnded, ShadowStop, StepStubbed } from './events.js';

type Stub = Omit<StepStubbed['data'], 'step'>;

/**
 * Settles a step of a shadow that would act outside, or ask somebody there, with what is known (`capabilities.md` §6): an effect takes the
 * confirmed result of its key, else its stub; a wait and a review take what the head got there; an event is not sent. What nothing is known
 * of stays unsettled, and the shadow stops there.
 */
export function stubStep(draft: Draft, step: PlannedStep): void {
  const stub = stubOf(draft, step);
  if ('from' in stub) draft.add({ type: 'StepStubbed', version: 1, data: { step: step.id, ...stub } });
}

function stubOf(draft: Draft, step: PlannedStep): Stub | { readonly says: string } {
  if (step.effect !== undefined) return stubOfEffect(draft, step);
  if (step.emit !== undefined) return { from: 'unsent', output: null, says: `${step.emit.type} is not sent: a shadow tells nobody` };
  const theirs = draft.state.shadow?.steps.get(step.id);
  const what = step.wait === undefined ? 'review' : 'wait';
  if (theirs?.status === 'skipped') return { from: 'head', skipped: true, says: `${what} ${step.id} was skipped on the head` };
  if (theirs?.status !== 'succeeded') return { says: `${what} ${step.id} has no answer on the head, and a shadow asks nobody` };
  return { from: 'head', ...written(theirs.output), says: `${what} ${step.id} takes what the head got` };
}

function stubOfEffect(draft: Draft, step: PlannedStep): Stub | { readonly says: string } {
  const key = effectKeyOf(draft, step);
  if (typeof key !== 'string') return { says: `effect ${step.id}: ${key.problem}` };
  const entry = draft.state.ledger.effects.get(key);
  if (entry?.status === 'confirmed')
    return { from: 'confirmed', ...written(entry.output), says: `effect ${step.id} takes the confirmed result of ${key}` };
  const stub = step.effect?.stub?.evaluate(draft.scope(step.stepRefs));
  if (stub === undefined) return { says: `effect ${step.id} has no confirmed result under ${key} and no stub` };
  if (!stub.ok) return { says: `effect ${step.id}, stub: ${stub.error}` };
  const [breach] = step.validateOutput(stub.value);
  if (breach !== undefined) return { says: `effect ${step.id}, stub${breach.pointer}: ${breach.says}` };
  return { from: 'stub', output: stub.value, says: `effect ${step.id} takes its stub: ${key} was never confirmed` };
}

const written = (output: StepOutput | null): Pick<StepStubbed['data'], 'output' | 'outputRef'> =>
  output === null || 'value' in output ? { output: output?.value ?? null } : { outputRef: output.ref };

/** A shadow with nothing under way has come to its end, or to where it stops: both are said, by its last event. */
export function endShadowIfIdle(draft: Draft, isReady: (step: PlannedStep) => boolean): void {
  const { state, plan } = draft;
  if (state.end !== null || state.path.attempts.size > 0) return;
  const failed = [...state.path.retries.values()].filter(({ settled }) => !settled);
  const stops: ShadowStop[] = [
    ...failed.map(({ step, message }) => ({ step, says: `${step} failed: ${message}` })).sort((a, b) => (a.step < b.step ? -1 : 1)),
    ...plan.steps
      .filter((step) => step.kind !== 'task' && !isSettled(state, step.id) && (isReady(step) || entryOf(state, step.id) !== undefined))
      .filter(({ id }) => !failed.some(({ step }) => step === id))
      .map((step) => ({ step: step.id, says: stubOf(draft, step).says })),
  ];
  endShadow(draft, { outcome: 'stopped', stops });
}

export const endShadow = (draft: Draft, data: ShadowEnded['data']): void => draft.add({ type: 'ShadowEnded', version: 1, data });
