import type { PlannedStep } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import { digestOfValue } from '../state-view.js';
import { DEFINITION_ERROR, failAttempt, startAttempt, workOf } from '../steps/start.js';
import type { EffectEntry, StepWork } from '../state.js';
import { askAboutEffect } from './ask.js';
import { fingerprintOf } from './fingerprint.js';
import { effectKeyOf } from './key.js';
import { waitsForCompensation } from './parts.js';

type Intent = NonNullable<StepWork['effect']> & { readonly fingerprint: string };

/**
 * Starts the first attempt of an effect: checkpoint, attempt and intent in one append, ahead of any dispatch (C-EFFECT). A key that
 * cannot be had, or that stands for something else already, is refused: the attempt fails here and nothing is sent. `edit`: what a review
 * made of the input.
 */
export function startEffect(draft: Draft, step: PlannedStep, edit: (input: Json) => Json = (input) => input): void {
  const { work: asWritten, problem } = workOf(draft, step, draft.scope(step.stepRefs));
  if (isHeldByChoice(draft, step)) return;
  const reused = problem === undefined ? reusedBy(draft, step) : undefined;
  if (reused !== undefined) return reuse(draft, step, asWritten, reused);
  const work = { ...asWritten, input: edit(asWritten.input) };
  const intent = problem === undefined ? intentOf(draft, step, work.input) : { problem };
  if ('problem' in intent) {
    const attemptId = startAttempt(draft, step.id, work);
    return failAttempt(draft, { step: step.id, attemptId, code: DEFINITION_ERROR, message: intent.problem });
  }
  reachCheckpoint(draft, {
    name: `${step.id}.before`,
    kind: 'pre_effect',
    step: step.id,
    claim: { says: `everything before effect ${step.id} is complete`, inputDigest: digestOfValue(work.input), artifacts: [] },
  });
  const attemptId = startAttempt(draft, step.id, work);
  intend(draft, step, attemptId, intent);
}

/**
 * Whether what a branch chose of the effect before comes first: that it is undone, or that people are asked (who are asked here). Whoever has
 * undone it or has answered comes here again.
 */
export function isHeldByChoice(draft: Draft, step: PlannedStep): boolean {
  const key = effectKeyOf(draft, step);
  if (typeof key !== 'string') return false;
  if (waitsForCompensation(draft.state, key)) return true;
  const entry = draft.state.ledger.effects.get(key);
  if (draft.state.path.choices.get(key) !== 'ask' || entry?.status !== 'confirmed' || entry.step !== step.id) return false;
  askAboutEffect(draft, step, key);
  return true;
}

/** The confirmed effect whose result the branch takes instead of calling again (U-5); `undefined` where nothing like that was chosen. */
export function reusedBy(draft: Draft, step: PlannedStep): EffectEntry | undefined {
  const key = effectKeyOf(draft, step);
  if (typeof key !== 'string' || draft.state.path.choices.get(key) !== 'reuse') return undefined;
  const entry = draft.state.ledger.effects.get(key);
  return entry?.status === 'confirmed' && entry.step === step.id ? entry : undefined;
}

/** An attempt that nobody is given: it succeeds with what the target gave then. */
function reuse(draft: Draft, step: PlannedStep, work: StepWork, { output }: EffectEntry): void {
  const attemptId = startAttempt(draft, step.id, work);
  const result = output === null || 'value' in output ? { output: output?.value ?? null } : { outputRef: output.ref };
  draft.add({ type: 'StepSucceeded', version: 1, data: { attemptId, evidence: REUSED, ...result, step: step.id } });
}

/** What a result says that was taken from another branch. */
const REUSED = 'reused: the effect is confirmed, and nothing was called';

/** Starts another attempt of an effect under the key and suffix that it had (I-16). */
export function startEffectAgain(draft: Draft, step: PlannedStep, work: StepWork): void {
  const attemptId = startAttempt(draft, step.id, work);
  const intent = intentOf(draft, step, work.input, work.effect?.key);
  if ('problem' in intent) failAttempt(draft, { step: step.id, attemptId, code: DEFINITION_ERROR, message: intent.problem });
  else intend(draft, step, attemptId, intent);
}

function intend(draft: Draft, step: PlannedStep, attemptId: string, { key, suffix, fingerprint }: Intent): void {
  const guarantee = step.effect?.guarantee ?? 'none';
  draft.add({ type: 'EffectIntended', version: 1, data: { key, suffix, step: step.id, attemptId, fingerprint, guarantee } });
}

function intentOf(draft: Draft, step: PlannedStep, input: Json, known?: string): Intent | { readonly problem: string } {
  const key = known ?? effectKeyOf(draft, step);
  if (typeof key !== 'string') return key;
  const fingerprint = fingerprintOf(step.effect?.fields ?? null, input);
  const entry = draft.state.ledger.effects.get(key);
  const repeats = entry?.status === 'confirmed' && draft.state.path.choices.get(key) === 'repeat';
  const suffix = repeats ? entry.suffix + 1 : suffixFor(entry, step.id, fingerprint);
  return typeof suffix === 'number' ? { key, suffix, fingerprint } : { problem: `effect key ${key}: ${suffix.refused}` };
}

/**
 * The suffix that the next intent under a key goes out with (`architecture.md` §3.3). A target that honours keys would answer a changed
 * request with the old booking: what is certainly not there may change and takes the next suffix, everything else is refused.
 */
function suffixFor(entry: EffectEntry | undefined, step: string, fingerprint: string): number | { readonly refused: string } {
  if (entry === undefined) return 0;
  switch (entry.status) {
    case 'absent':
      return entry.fingerprint === fingerprint ? entry.suffix : entry.suffix + 1;
    case 'compensated':
      return entry.suffix + 1;
    case 'unknown':
      if (entry.step !== step) return { refused: `step ${entry.step} left it unknown` };
      if (entry.fingerprint !== fingerprint) return { refused: 'it is unknown whether it happened, with another meaning' };
      return entry.guarantee === 'idempotent' ? entry.suffix : { refused: 'it is unknown whether it happened' };
    case 'intended':
      return { refused: `step ${entry.step} is about to use it` };
    case 'confirmed':
      return { refused: `step ${entry.step} has used it, and one key stands for one effect` };
  }
}
