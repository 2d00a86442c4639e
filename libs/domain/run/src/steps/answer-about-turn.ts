import { rejected, type Decision, type Id } from '@cairn/kernel';
import { advance, settleSkipped } from '../advance.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import { endRun } from '../lifecycle/end.js';
import type { DecidedByPeople } from '../recovery/people.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence, type ReviewEntry } from '../state.js';
import { optionsOfTurn } from './ask-about-turn.js';
import { GRANT } from './evolve.js';

/** What people have said about a turn that would go beyond the limit takes effect. */
export function applyToTurn(
  draft: Draft,
  told: { readonly reviewId: Id; readonly entry: ReviewEntry; readonly decided: DecidedByPeople; readonly revision: number },
): Decision<RunEvent, RunRejection> {
  const { reviewId, entry, decided, revision } = told;
  const { step: id, turn } = parseOccurrence(entry.step);
  const step = draft.plan.step(id);
  const { option, verdict, by, reason, subjectDigest } = decided;
  const chosen =
    step === undefined ? undefined : optionsOfTurn(draft, step, turn).find((one) => one.id === option && one.verdict === verdict);
  if (step === undefined || chosen === undefined) return rejected({ code: 'decision_unproven', detail: `the review offers no ${option}` });
  const data = { reviewId, step: entry.step, verdict, then: chosen.then, by, reason, subjectDigest, decided: revision };
  draft.add({ type: 'VerdictApplied', version: 1, data });
  if (chosen.then.startsWith(GRANT)) goOnWith(draft, id, turn);
  else if (step.optional) {
    settleSkipped(draft, entry.step, 'optional');
    advance(draft, [entry.step]);
  } else endRun(draft, { type: 'RunGaveUp', version: 1, data: { step: entry.step, rule: 'review', numbers: { turn } } });
  return concluded(draft);
}

/** The turn before it is looked at once more; a first turn has none before it. */
function goOnWith(draft: Draft, id: string, turn: number): void {
  if (turn > 1) advance(draft, [`${id}#${turn - 1}`]);
  else advance(draft, [], [id]);
}
