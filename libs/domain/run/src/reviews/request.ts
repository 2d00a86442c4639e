import type { PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { canon, idOf, instantOf, type Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import type { ReviewId, ReviewOption, ReviewRequested, ReviewSubject } from './events.js';
import { reviewsOf } from './evolve.js';
import { digestOfSubjects } from './digest.js';
import { subjectOf } from './subject.js';

/** A review that cannot be asked for as written: an expression of it has no answer. */
export interface ReviewProblem {
  readonly problem: string;
}

/** Characters of a question in the history. */
const QUESTION_CHARS_MAX = 500;

/** Asks people: the checkpoint and `ReviewRequested`, in one append (I-18). `previous`: the review whose approval does not fit any more. */
export function requestReview(draft: Draft, step: PlannedStep, review: PlannedReview, previous?: ReviewId): ReviewProblem | undefined {
  const scope = draft.scope(step.stepRefs);
  const question = review.question.evaluate(scope);
  if (!question.ok) return { problem: `question: ${question.error}` };
  const evidence = review.evidence.evaluate(scope);
  if (!evidence.ok) return { problem: `evidence: ${evidence.error}` };
  const { now } = draft.context;
  const subjects = subjectsOf(draft, step, review);
  const n = reviewsOf(draft.state, step.id).length + 1;
  const restores = `${step.id}.review`;
  reachCheckpoint(draft, {
    name: restores,
    kind: 'review',
    step: step.id,
    claim: { says: `everything before ${step.id} that it depends on is complete`, artifacts: [] },
  });
  const data: ReviewRequested['data'] = {
    reviewId: idOf('review', draft.state.runId, draft.state.branch, step.id, n),
    step: step.id,
    n,
    why: 'planned',
    queue: review.queue,
    risk: riskOf(draft, step, review),
    question: cut(typeof question.value === 'string' ? question.value : canon(question.value)),
    options: review.verdicts.map((offered) => optionOf(offered, review)),
    subjects,
    subjectDigest: digestOfSubjects(subjects.map(({ digest }) => digest)),
    ...(previous === undefined ? {} : { previous }),
    editable: review.editable,
    candidates: review.candidates,
    quorum: review.quorum,
    deadline: instantOf(now + review.deadlineMs),
    onDeadline: review.onDeadline,
    escalate: review.escalate.map(({ to, afterMs }) => ({ to, at: instantOf(now + afterMs) })),
    receiptTtl: review.receiptTtlMs,
    evidence: evidence.value as readonly Json[],
    assumptions: [],
    restores,
  };
  draft.add({ type: 'ReviewRequested', version: 1, data });
  return undefined;
}

/** Of each step that a review authorises; of itself, where it authorises none. */
export function subjectsOf(draft: Draft, step: PlannedStep, review: PlannedReview): readonly ReviewSubject[] {
  const guarded = review.authorises.flatMap((id) => draft.plan.step(id) ?? []);
  return (guarded.length === 0 ? [step] : guarded).map((one) => subjectOf(draft, one));
}

const RISKS = ['low', 'medium', 'high', 'critical'] as const;

/** Of the review as it says, else of the riskiest step that it authorises. */
function riskOf(draft: Draft, step: PlannedStep, review: PlannedReview): PlannedStep['risk'] {
  const risks = [step, ...review.authorises.flatMap((id) => draft.plan.step(id) ?? [])].map(({ risk }) => RISKS.indexOf(risk));
  return RISKS[Math.max(...risks)] ?? 'low';
}

function optionOf({ verdict, then }: PlannedReview['verdicts'][number], { authorises }: PlannedReview): ReviewOption {
  const label = verdict.charAt(0).toUpperCase() + verdict.slice(1);
  return { id: verdict, label, verdict, then, preview: previewOf(verdict, then, authorises.join(', ')) };
}

/** The consequence in words. */
function previewOf(verdict: string, then: string, guarded: string): string {
  const isYes = verdict === 'approve' || verdict === 'edit';
  const of =
    guarded === ''
      ? ''
      : isYes && then !== 'skip'
        ? `; ${guarded} may start${verdict === 'edit' ? ' as edited' : ''}`
        : `; ${guarded} is skipped`;
  if (then === 'stop') return 'The run fails as rejected.';
  if (then === 'give_up') return 'The run gives up.';
  if (then.startsWith('step:')) return `${then.slice('step:'.length)} runs, then the run goes on${of}.`;
  return `The run goes on${of}.`;
}

const cut = (text: string): string => (text.length <= QUESTION_CHARS_MAX ? text : `${text.slice(0, QUESTION_CHARS_MAX - 1)}…`);
