import type { PlannedStep } from '@cairn/domain-definition';
import { idOf, instantOf, rejected, type Decision, type Id } from '@cairn/kernel';
import { advance } from '../advance.js';
import type { EffectChoice } from '../branches/events.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import { RECOVERY_DEADLINE_MS, type DecidedByPeople } from '../recovery/people.js';
import type { RunRejection } from '../rejections.js';
import type { ReviewOption, ReviewRequested } from '../reviews/events.js';
import { isOpenReview, reviewsOf } from '../reviews/evolve.js';
import { subjectOf } from '../reviews/subject.js';
import { parseOccurrence, partOf, type EffectEntry, type ReviewEntry } from '../state.js';
import { THEN } from './evolve.js';
import { compensateChosen } from './parts.js';

/** Whose inbox it is: nobody is named for what a branch leaves behind. */
const QUEUE = 'recovery';
type Outcome = Decision<RunEvent, RunRejection>;

/** People say what becomes of a confirmed effect that a branch comes to again, where it was opened to ask them (`ask`, U-5). */
export function askAboutEffect(draft: Draft, step: PlannedStep, key: string): void {
  const { state, context } = draft;
  const asks = partOf(step.id, 'ask');
  const asked = reviewsOf(state, asks);
  if (asked.some(([, review]) => isOpenReview(review))) return;
  const subject = subjectOf(draft, step);
  const n = asked.length + 1;
  const restores = `${step.id}.ask`;
  reachCheckpoint(draft, {
    name: restores,
    kind: 'review',
    step: asks,
    claim: { says: `everything before effect ${step.id} is complete; what becomes of it is asked`, artifacts: [] },
  });
  const data: ReviewRequested['data'] = {
    reviewId: idOf('review', state.runId, state.branch, asks, n),
    step: asks,
    n,
    why: 'recovery',
    queue: QUEUE,
    risk: step.risk,
    question: `Effect ${key} of step ${step.id} has happened already. What becomes of it on branch ${state.branch}?`.slice(
      0,
      QUESTION_CHARS_MAX,
    ),
    options: optionsFor(step, key),
    subjects: [subject],
    subjectDigest: subject.digest,
    editable: [],
    candidates: [],
    quorum: { of: 1, notSameAs: [] },
    deadline: instantOf(context.now + RECOVERY_DEADLINE_MS),
    onDeadline: 'escalate',
    escalate: [],
    receiptTtl: RECOVERY_DEADLINE_MS,
    evidence: [{ effect: key, status: state.ledger.effects.get(key)?.status ?? null, branch: state.branch }],
    assumptions: [],
    restores,
  };
  draft.add({ type: 'ReviewRequested', version: 1, data });
}

/** Characters of a question in the history, as of any review's. */
const QUESTION_CHARS_MAX = 500;

function optionsFor({ id, effect }: PlannedStep, key: string): readonly ReviewOption[] {
  const option = (choice: EffectChoice, label: string, preview: string): ReviewOption => ({
    id: choice,
    label,
    verdict: 'approve',
    then: `${THEN}${choice}`,
    preview,
  });
  return [
    option('reuse', 'Take what it gave', `${id} succeeds with the result of ${key}; nothing is called.`),
    ...(effect?.compensate === undefined
      ? []
      : [option('compensate', 'Undo it first', `Queue ${effect.compensate} undoes ${key}; then ${id} acts anew, under the next suffix.`)]),
    option('repeat', 'Do it again', `${id} acts a second time, under the next suffix of ${key}: it has happened twice then.`),
  ];
}

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
