import type { PlannedStep } from '@cairn/domain-definition';
import { idOf, instantOf } from '@cairn/kernel';
import type { EffectChoice } from '../branches/events.js';
import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import type { ReviewOption, ReviewRequested } from '../reviews/events.js';
import { isOpenReview, reviewsOf } from '../reviews/evolve.js';
import { subjectOf } from '../reviews/subject.js';
import { partOf } from '../state.js';
import { THEN } from './evolve.js';

/** How long people have to say it, as about a failure. Then the review is passed up and stays open: silence decides nothing. */
const ASK_DEADLINE_MS = 86_400_000;
/** Whose inbox it is: nobody is named for what a branch leaves behind. */
const QUEUE = 'recovery';
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
    deadline: instantOf(context.now + ASK_DEADLINE_MS),
    onDeadline: 'escalate',
    escalate: [],
    receiptTtl: ASK_DEADLINE_MS,
    evidence: [{ effect: key, status: state.ledger.effects.get(key)?.status ?? null, branch: state.branch }],
    assumptions: [],
    restores,
  };
  draft.add({ type: 'ReviewRequested', version: 1, data });
}

/** Characters of a question in the history, as of any review's. */
const QUESTION_CHARS_MAX = 500;

export function optionsFor({ id, effect }: PlannedStep, key: string): readonly ReviewOption[] {
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
