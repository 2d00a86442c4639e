import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import { outputDigest } from '../state-digest.js';
import { digestOfValue } from '../state-view.js';
import type { Occurrence, SideEffect } from '../shared-fields.js';
import type { Json } from '@cairn/kernel';
import { withdrawAboutFailure } from '../reviews/withdraw.js';
import { parseOccurrence, partOf, type EffectEntry, type OpenAttempt, type RunState, type StepOutput, type StepWork } from '../state.js';

/** The intent that an open attempt went out with; `undefined` for a task. Read it before its step is settled: settling drops the work. */
export function intentOfAttempt(state: RunState, attemptId: string): Intended | undefined {
  const attempt = state.path.attempts.get(attemptId);
  const work = attempt === undefined ? undefined : state.path.steps.get(attempt.step)?.work;
  if (attempt === undefined || work?.effect === undefined || parseOccurrence(attempt.step).part !== undefined) return undefined;
  return { ...work.effect, step: attempt.step, attemptId, attempt, work };
}

export interface Intended {
  readonly key: string;
  readonly suffix: number;
  readonly step: Occurrence;
  readonly attemptId: string;
  readonly attempt: OpenAttempt;
  readonly work: StepWork;
}

/** It happened: the ledger says so, and the checkpoint after it. Comes right after the `StepSucceeded` of its attempt. */
export function confirmEffect(draft: Draft, { key, suffix, step, attemptId, work }: Intended): void {
  draft.add({ type: 'EffectConfirmed', version: 1, data: { key, suffix, step, attemptId, by: 'reply' } });
  reachAfter(draft, { key, step, input: work.input }, draft.state.path.steps.get(step)?.output ?? null);
}

/** It had happened, it turns out. On a run that has ended the ledger alone says so (I-8). */
export function confirmLater(
  draft: Draft,
  key: string,
  { suffix, step, attemptId, work }: EffectEntry,
  told: { readonly by: 'reconcile' | 'person'; readonly receipt: Json; readonly because?: string },
): void {
  draft.add({ type: 'EffectConfirmed', version: 1, data: { key, suffix, step, attemptId, ...told } });
  withdrawAsked(draft, step);
  if (draft.state.end === null) reachAfter(draft, { key, step, input: work?.input ?? null }, { value: told.receipt });
}

/** It had not happened, it turns out: what failed over it is a failure like any other. */
export function findAbsent(draft: Draft, key: string, { suffix, step, attemptId }: EffectEntry, because: string): void {
  draft.add({ type: 'EffectAbsent', version: 1, data: { key, suffix, step, attemptId, because } });
  withdrawAsked(draft, step);
}

/** People were asked what becomes of it while nobody knew: that is settled, or is judged anew. */
function withdrawAsked(draft: Draft, step: Occurrence): void {
  withdrawAboutFailure(draft, step);
  withdrawAboutFailure(draft, partOf(step, 'reconcile'));
}

function reachAfter(
  draft: Draft,
  { key, step, input }: { readonly key: string; readonly step: string; readonly input: Json },
  output: StepOutput | null,
): void {
  const result = outputDigest(output);
  reachCheckpoint(draft, {
    name: `${step}.after`,
    kind: 'post_effect',
    step,
    claim: {
      says: `effect ${step} has happened, under key ${key}`,
      inputDigest: digestOfValue(input),
      ...(result === null ? {} : { resultDigest: `sha256:${result}` }),
      artifacts: output !== null && 'ref' in output ? [output.ref.artifact] : [],
    },
  });
}

/**
 * The attempt failed: what is known of its effect goes into the ledger in the same append. `applied` is no confirmation: nobody saw a
 * result. And `none` speaks for this attempt alone: what an earlier one left in doubt stays unknown (ADR 0011).
 */
export function closeIntent(draft: Draft, { key, suffix, step, attemptId }: Intended, sideEffect: SideEffect, because: string): void {
  const inDoubt = draft.state.ledger.effects.get(key)?.inDoubt === true;
  const data = { key, suffix, step, attemptId, because: inDoubt ? 'an earlier attempt left it unknown' : because };
  if (sideEffect === 'none' && !inDoubt) draft.add({ type: 'EffectAbsent', version: 1, data });
  else draft.add({ type: 'EffectUnknown', version: 1, data });
}

/** Every intent that is still open: whoever ends the run leaves them unknown (W-7). In the order of their keys. */
export function leaveIntentsUnknown(draft: Draft, because: string): void {
  const open = [...draft.state.ledger.effects.entries()].filter(([, { status }]) => status === 'intended');
  for (const [key, { suffix, step, attemptId }] of open.sort(([a], [b]) => (a < b ? -1 : 1)))
    draft.add({ type: 'EffectUnknown', version: 1, data: { key, suffix, step, attemptId, because } });
}
