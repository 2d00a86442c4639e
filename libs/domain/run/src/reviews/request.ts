import type { Plan, PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { canon, idOf, instantOf, type Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import type { ReviewId, ReviewRequested, ReviewSubject } from './events.js';
import { reviewsOf } from './evolve.js';
import { digestOfSubjects } from './digest.js';
import { optionsOf, sentBackBy } from './outcomes.js';
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
  const before = previous ?? (n === 1 ? sentBackBy(draft.state, step.id) : undefined);
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
    why: whyOf(draft, step, review),
    queue: review.queue,
    risk: riskOf(draft, step, review),
    question: cut(typeof question.value === 'string' ? question.value : canon(question.value)),
    options: optionsOf(draft, step, review),
    subjects,
    subjectDigest: digestOfSubjects(subjects.map(({ digest }) => digest)),
    ...(before === undefined ? {} : { previous: before }),
    editable: review.editable,
    candidates: review.candidates,
    quorum: { of: review.quorum.of, notSameAs: apartFrom(draft.plan, step, review) },
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

/**
 * Whom a review shares no people with: as it says itself, and each review that says so of it. Both may be asked at once, and whichever is
 * decided second keeps the word.
 */
export function apartFrom(plan: Plan, { id }: PlannedStep, { quorum }: PlannedReview): readonly string[] {
  const name = `step:${id}`;
  const others = plan.steps.flatMap((other) => (other.review?.quorum.notSameAs.includes(name) === true ? [`step:${other.id}`] : []));
  return [...new Set([...quorum.notSameAs, ...others])];
}

const RISKS = ['low', 'medium', 'high', 'critical'] as const;

/** Of the review as it says, else of the riskiest step that it authorises. */
function riskOf(draft: Draft, step: PlannedStep, review: PlannedReview): PlannedStep['risk'] {
  const risks = [step, ...review.authorises.flatMap((id) => draft.plan.step(id) ?? [])].map(({ risk }) => RISKS.indexOf(risk));
  return RISKS[Math.max(...risks)] ?? 'low';
}

/** What made it be asked now (C-REVIEWTRIG): a wait has become stale, what it lets go is risky, or just that the definition says so. */
function whyOf(draft: Draft, step: PlannedStep, review: PlannedReview): ReviewRequested['data']['why'] {
  const isStale = draft.plan.steps.some(({ id, wait }) => wait?.staleReview === step.id && draft.state.path.detours.get(id) === step.id);
  if (isStale) return 'after_wait';
  return review.authorises.some((id) => RISKS.indexOf(draft.plan.step(id)?.risk ?? 'low') >= RISKS.indexOf('high')) ? 'risk' : 'planned';
}

const cut = (text: string): string => (text.length <= QUESTION_CHARS_MAX ? text : `${text.slice(0, QUESTION_CHARS_MAX - 1)}…`);
