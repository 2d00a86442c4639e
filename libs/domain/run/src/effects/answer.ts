import { rejected, type Decision, type Id } from '@cairn/kernel';
import { advance } from '../advance.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { DecidedByPeople } from '../recovery/people.js';
import type { RunRejection } from '../rejections.js';
import { subjectOf } from '../reviews/subject.js';
import { parseOccurrence, type EffectEntry, type ReviewEntry } from '../state.js';
import { optionsFor } from './ask.js';
import { compensateChosen } from './parts.js';

type Outcome = Decision<RunEvent, RunRejection>;

/** What people have said becomes of it takes effect: exactly that. An effect that has changed since is asked about anew, where it still must be. */
export function applyToEffect(
  draft: Draft,
  told: { readonly reviewId: Id; readonly entry: ReviewEntry; readonly decided: DecidedByPeople; readonly revision: number },
): Outcome {
  const { reviewId, entry, decided, revision } = told;
  const { step: id } = parseOccurrence(entry.step);
  const step = draft.plan.step(id);
  const key = askedKey(draft, id);
  const { option, verdict, by, reason, subjectDigest } = decided;
  if (step === undefined || key === undefined || subjectOf(draft, step).digest !== entry.subjectDigest) {
    draft.add({ type: 'ReviewWithdrawn', version: 1, data: { reviewId, step: entry.step, because: 'subject_changed' } });
    advance(draft, [], [id]);
    return concluded(draft);
  }
  const chosen = optionsFor(step, key).find((one) => one.id === option && one.verdict === verdict);
  if (chosen === undefined) return rejected({ code: 'decision_unproven', detail: `the review offers no ${option}` });
  const data = { reviewId, step: entry.step, verdict, then: chosen.then, by, reason, subjectDigest, decided: revision };
  draft.add({ type: 'VerdictApplied', version: 1, data });
  if (draft.state.path.paused) return concluded(draft);
  compensateChosen(draft);
  advance(draft, [], [id]);
  return concluded(draft);
}

function askedKey({ state }: Draft, step: string): string | undefined {
  const asked = [...state.path.choices.entries()].filter(([, choice]) => choice === 'ask');
  return asked.find(([key]) => isConfirmedOf(state.ledger.effects.get(key), step))?.[0];
}

const isConfirmedOf = (entry: EffectEntry | undefined, step: string): boolean => entry?.status === 'confirmed' && entry.step === step;
