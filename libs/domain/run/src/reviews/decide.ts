import {
  applyEdits,
  sidesNamedBy,
  verdicts,
  type JsonPatchOp,
  type PlannedReview,
  type PlannedStep,
  type Verdict,
} from '@cairn/domain-definition';
import { nothing, rejected, type Decision, type Json } from '@cairn/kernel';
import { advance, settleSkipped, startDueRetries, startHeld } from '../advance.js';
import { announce } from '../branches/decide.js';
import { mayBranch } from '../branches/evolve.js';
import { planBranch } from '../branches/plan.js';
import { asChanged } from '../branches/rules.js';
import type { BranchRequest } from '../branches/request.js';
import { supersedeByPolicy } from '../branches/supersede.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import { endRun, failRun } from '../lifecycle/end.js';
import { applyToEffect } from '../effects/answer.js';
import { applyToFailure, type DecidedByPeople } from '../recovery/people.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence, type ReviewEntry } from '../state.js';
import { fallbackOps } from '../recovery/ways.js';
import { openWait } from '../waits/open.js';
import { waitIdOf } from '../waits/evolve.js';
import type { ApplyEscalation, ApplyVerdict, KnownFork, RecordedDecision } from './commands.js';
import type { ReviewEscalated, ReviewId, VerdictApplied } from './events.js';
import { forkBefore, goesBack, proposerOf, reductionOf } from './outcomes.js';
import { isOpenReview, SIDE } from './evolve.js';
import { apartFrom, requestReview, subjectsOf } from './request.js';
import { applyToTurn } from '../steps/answer-about-turn.js';
import { DEFINITION_ERROR } from '../steps/start.js';
import { digestOfSubjects } from './digest.js';
import { editor, subjectOf } from './subject.js';
import { withdrawAboutFailure } from './withdraw.js';

type Outcome = Decision<RunEvent, RunRejection>;

/** Bucket of a run that a person stopped. */
export const REJECTED = 'rejected';

interface Asked {
  readonly step: PlannedStep;
  readonly review: PlannedReview;
  readonly entry: ReviewEntry;
}

/**
 * A verdict takes effect here and nowhere else. What was decided is read from the review's own stream (W-8), and it counts only for what
 * the run still asks: a decision about a subject that has changed since then is not applied, and the run asks again.
 */
export function applyVerdict(draft: Draft, command: ApplyVerdict): Outcome {
  const { reviewId, revision, recorded } = command.data;
  const entry = draft.state.path.reviews.get(reviewId);
  if (entry === undefined) return rejected({ code: 'review_not_found', detail: `no review ${reviewId} in this run` });
  if (!isOpenReview(entry)) return nothing(entry.decided === revision ? 'duplicate' : 'late');
  const { attemptId } = entry;
  if (attemptId !== undefined) {
    if (!isAbout(draft, reviewId, recorded) || recorded.type !== 'ReviewDecided') return unproven(reviewId, revision);
    const decided = recorded.data as unknown as DecidedByPeople;
    if (decided.subjectDigest !== entry.subjectDigest) return mismatch(entry, decided.subjectDigest);
    return applyToFailure(draft, { reviewId, entry, attemptId, decided, revision });
  }
  if (parseOccurrence(entry.step).part === 'ask') {
    if (!isAbout(draft, reviewId, recorded) || recorded.type !== 'ReviewDecided') return unproven(reviewId, revision);
    const decided = recorded.data as unknown as DecidedByPeople;
    if (decided.subjectDigest !== entry.subjectDigest) return mismatch(entry, decided.subjectDigest);
    return applyToEffect(draft, { reviewId, entry, decided, revision });
  }
  if (entry.why === 'budget') {
    if (!isAbout(draft, reviewId, recorded) || recorded.type !== 'ReviewDecided') return unproven(reviewId, revision);
    const decided = recorded.data as unknown as DecidedByPeople;
    if (decided.subjectDigest !== entry.subjectDigest) return mismatch(entry, decided.subjectDigest);
    return applyToTurn(draft, { reviewId, entry, decided, revision });
  }
  const asked = askedOf(draft, entry);
  if (asked === undefined || !isAbout(draft, reviewId, recorded)) return unproven(reviewId, revision);
  if (recorded.type === 'ReviewExpired') return expire(draft, asked, command);
  if (recorded.type !== 'ReviewDecided') return unproven(reviewId, revision);

  const { verdict, subjectDigest, by, reason, edits, guidance } = recorded.data as unknown as Decided;
  const then = entry.offers[verdict];
  if (then === undefined || !(verdicts as readonly string[]).includes(verdict)) return unproven(reviewId, revision);
  if (subjectDigest !== entry.subjectDigest) return mismatch(entry, subjectDigest);
  if (hasChanged(draft, asked)) return askAnew(draft, asked, reviewId);
  const both = sharedWith(draft, asked, by);
  if (both !== undefined) return askAnew(draft, asked, reviewId, `four eyes: ${both.who} has decided ${both.step}; the run asks again`);
  const way = wayOf(draft, asked, { reviewId, then, verdict, reason, ...(guidance === undefined ? {} : { guidance }) }, command.data.fork);
  if (way !== undefined && 'refused' in way)
    return askAnew(draft, asked, reviewId, `${verdict} cannot be done now (${way.refused}); the run asks again`);
  const approvedDigest = verdict === 'edit' ? editedDigest(draft, asked, edits ?? []) : { digest: subjectDigest };
  if (!('digest' in approvedDigest)) return rejected(approvedDigest);
  const applied: VerdictApplied['data'] = {
    reviewId,
    step: entry.step,
    verdict,
    then,
    by,
    reason,
    subjectDigest: approvedDigest.digest,
    ...(verdict === 'edit' && edits !== undefined ? { edits } : {}),
    ...(asked.review.authorises.length > 0 ? {} : { input: ownInput(draft, asked, verdict === 'edit' ? (edits ?? null) : null) }),
    ...(guidance === undefined ? {} : { guidance }),
    decided: revision,
  };
  if (way === undefined) return follow(draft, asked, applied);
  draft.add({ type: 'VerdictApplied', version: 1, data: applied });
  way.open();
  return concluded(draft);
}

/** What was decided is not what can be done now: nothing of it is, and people are asked about what is. */
function askAnew(draft: Draft, { step, review, entry }: Asked, reviewId: ReviewId, says?: string): Outcome {
  const data = { reviewId, step: entry.step, because: 'subject_changed', ...(says === undefined ? {} : { says }) } as const;
  draft.add({ type: 'ReviewWithdrawn', version: 1, data });
  const unasked = requestReview(draft, step, asChanged(draft.state, step).review ?? review, reviewId);
  if (unasked !== undefined) failRun(draft, entry.step, DEFINITION_ERROR, unasked.problem); // Nobody can be asked: it would wait for ever.
  return concluded(draft);
}

type Way = { readonly refused: string } | { open(): void };

/** The branch that a decision asks for, if it asks for one; looked at before anything is appended. */
function wayOf(
  draft: Draft,
  { step, entry }: Asked,
  said: {
    readonly reviewId: ReviewId;
    readonly then: string;
    readonly verdict: string;
    readonly reason: string;
    readonly guidance?: string;
  },
  fork: KnownFork | undefined,
): Way | undefined {
  const { reviewId, then, verdict, reason, guidance } = said;
  const evidence = [`${draft.state.branch}@${draft.state.revision}`, `review:${reviewId}`];
  if (then.startsWith('reduce:')) {
    if (!mayBranch(draft.state)) return { refused: `limits.branches: the run has ${draft.state.ledger.branches.size} branches` };
    const branch = reductionOf(draft, entry.step, then, { reason, evidence });
    return 'refused' in branch ? branch : { open: () => supersedeByPolicy(draft, branch) };
  }
  if (!goesBack(then)) return undefined;
  const proposer = proposerOf(draft.plan, draft.state, step);
  if (proposer === undefined) return { refused: 'nothing has been proposed here' };
  if (fork === undefined || 'problem' in fork || fork.state === undefined) return { refused: `where ${proposer.id} began is not known` };
  const changes = changesOf(draft, proposer, then, guidance ?? (verdict === 'revise' ? reason : undefined));
  if ('refused' in changes) return changes;
  const facts = { plan: draft.plan, fork: fork.point, parent: fork.state, head: draft.state };
  const asked: BranchRequest = {
    from: forkBefore(draft.state, proposer),
    cause: then === 'branch' ? 'retry_modified' : 'fallback',
    reason,
    evidence,
    changes,
  };
  // The preview has said so: what has happened is taken over. What cannot be is nobody's to decide by a review.
  const { effects } = planBranch(facts, asked);
  const reused = effects.flatMap(({ key, choices }) => (choices.includes('reuse') ? [[key, 'reuse'] as const] : []));
  const request: BranchRequest = { ...asked, effects: Object.fromEntries(reused) };
  const { problems, unresolved } = planBranch(facts, request);
  if (problems.length + unresolved.length > 0)
    return { refused: [...problems.map(({ pointer, says }) => `${pointer} ${says}`.trim()), ...unresolved].join('; ') };
  return { open: () => announce(draft, { ...facts, head: draft.state }, request) };
}

/** What is different where the proposal is made again. */
function changesOf(
  draft: Draft,
  proposer: PlannedStep,
  then: string,
  guidance: string | undefined,
): readonly JsonPatchOp[] | { readonly refused: string } {
  if (then === 'branch') return guidance === undefined ? [] : [{ op: 'add', path: `/steps/${proposer.id}/guidance`, value: guidance }];
  const change = { fallback: Number(then.slice('fallback:'.length)) };
  const ops = fallbackOps(draft, proposer, proposer.id, change);
  return 'refused' in ops ? ops : ops.map((op) => ({ ...op, path: `/steps/${proposer.id}${op.path}` }));
}

/** Fields of `ReviewDecided` that matter here. */
interface Decided {
  readonly verdict: Verdict;
  readonly subjectDigest: string;
  readonly by: readonly string[];
  readonly reason: string;
  readonly edits?: readonly JsonPatchOp[];
  readonly guidance?: string;
}

/** Nobody decided in time: what the definition declared happens, and that is never an approval (I-26). */
function expire(draft: Draft, asked: Asked, { data: { reviewId, revision } }: ApplyVerdict): Outcome {
  const { entry, review } = asked;
  if (review.onDeadline === 'escalate') return unproven(reviewId, revision);
  const reason = 'nobody decided before the deadline';
  const { step, subjectDigest } = entry;
  return follow(draft, asked, {
    reviewId,
    step,
    verdict: 'expired',
    then: review.onDeadline,
    by: [],
    reason,
    subjectDigest,
    decided: revision,
  });
}

/** What follows a verdict (`capabilities.md` §3.5). What was not approved never starts on this branch (I-24). */
function follow(draft: Draft, { review, entry }: Asked, applied: VerdictApplied['data']): Outcome {
  const { verdict, then, step, by, reason } = applied;
  draft.add({ type: 'VerdictApplied', version: 1, data: applied });
  if (then === 'stop') {
    const who = by.length === 0 ? reason : `rejected by ${by.join(', ')}: ${reason}`;
    failRun(draft, step, verdict === 'expired' ? 'timeout' : REJECTED, `${step}: ${who}`);
    return concluded(draft);
  }
  if (then === 'give_up') {
    endRun(draft, { type: 'RunGaveUp', version: 1, data: { step, rule: 'review', numbers: { n: entry.n } } });
    return concluded(draft);
  }
  if (then === 'block') return concluded(draft);
  if (then === 'again') {
    const waits = draft.plan.steps.filter((one) => sidesNamedBy(one).some(({ side }) => side === step) && one.wait !== undefined);
    for (const wait of waits) openAnew(draft, wait);
    return concluded(draft);
  }
  const approves = (verdict === 'approve' || verdict === 'edit') && then !== 'skip';
  const skipped = approves ? [] : review.authorises.filter((id) => isNotUnderWay(draft, id));
  for (const id of skipped) {
    withdrawAboutFailure(draft, id);
    settleSkipped(draft, id, 'scope');
  }
  if (approves && !draft.state.path.paused) {
    startDueRetries(draft); // What had begun and was changed.
    startHeld(draft, review.authorises);
  }
  const side = then.startsWith(SIDE) ? [then.slice(SIDE.length)] : [];
  // What it authorises is named: asked again for, it waits for nothing else.
  advance(draft, [step, ...skipped], [...side, ...(approves ? review.authorises : [])]);
  return concluded(draft);
}

/** The wait that asked begins anew: with its deadline, and with what is stale, from now. A paused run opens it when it goes on. */
function openAnew(draft: Draft, wait: PlannedStep): void {
  const waitId = waitIdOf(draft.state, wait.id);
  const open = draft.state.path.waits.get(waitId)?.open === true;
  if (open && !draft.state.path.paused) {
    draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step: wait.id, because: 'rescheduled' } });
    const { wait: asIs } = asChanged(draft.state, wait);
    const problem = asIs === undefined ? undefined : openWait(draft, wait, asIs);
    if (problem !== undefined) failRun(draft, wait.id, DEFINITION_ERROR, problem.problem);
  } else advance(draft, [], [wait.id]);
}

/** Neither settled nor out with a handler. */
function isNotUnderWay({ state }: Draft, step: string): boolean {
  const status = state.path.steps.get(step)?.status;
  return status === undefined || status === 'failed';
}

/** The review was passed up, says its stream: the run shows it. */
export function applyEscalation(draft: Draft, command: ApplyEscalation): Outcome {
  const { reviewId, revision, recorded } = command.data;
  const entry = draft.state.path.reviews.get(reviewId);
  if (entry === undefined) return rejected({ code: 'review_not_found', detail: `no review ${reviewId} in this run` });
  if (!isOpenReview(entry)) return nothing('late');
  if (!isAbout(draft, reviewId, recorded) || recorded.type !== 'ReviewEscalated') return unproven(reviewId, revision);
  const { level, to, because, reason } = recorded.data as unknown as ReviewEscalated['data'];
  if (level <= entry.level) return nothing('duplicate');
  const data = { reviewId, step: entry.step, level, to, because, ...(reason === undefined ? {} : { reason }) };
  draft.add({ type: 'ReviewEscalated', version: 1, data });
  return concluded(draft);
}

function askedOf(draft: Draft, entry: ReviewEntry): Asked | undefined {
  const step = draft.plan.step(entry.step);
  return step?.review === undefined ? undefined : { step, review: step.review, entry };
}

const isAbout = (draft: Draft, reviewId: string, recorded: RecordedDecision | undefined): recorded is RecordedDecision =>
  recorded?.data['reviewId'] === reviewId && recorded.runId === draft.state.runId;

/** Whether what would run now is not what was asked about. */
function hasChanged(draft: Draft, { step, review, entry }: Asked): boolean {
  const now = subjectsOf(draft, step, review);
  return digestOfSubjects(now.map(({ digest }) => digest)) !== entry.subjectDigest;
}

/**
 * Four eyes where one person decides two steps in the same moment: human-review reads who decided the other from the history, in which it
 * does not stand yet. Here one verdict comes after the other.
 */
function sharedWith(
  { plan, state }: Draft,
  { step: own, review }: Asked,
  by: readonly string[],
): { readonly who: string; readonly step: string } | undefined {
  for (const name of apartFrom(plan, own, review)) {
    const step = plan.step(name.replace(/^step:/, ''));
    const decided = step?.review === undefined ? undefined : state.path.steps.get(step.id);
    const said = decided?.status === 'succeeded' && decided.output !== null && 'value' in decided.output ? decided.output.value : null;
    const others = (said as { readonly by?: readonly string[] } | null)?.by;
    const who = by.find((one) => others?.includes(one) === true);
    if (step !== undefined && who !== undefined) return { who, step: step.id };
  }
  return undefined;
}

/** The digest of the subject as it was edited: that is what may run. */
function editedDigest(draft: Draft, { step, review }: Asked, edits: readonly JsonPatchOp[]): { readonly digest: string } | RunRejection {
  const [id] = review.authorises;
  const edited = (id === undefined ? undefined : draft.plan.step(id)) ?? step;
  const checked = applyEdits(subjectOf(draft, edited).input as Json, review.editable, edits);
  if (!checked.ok) return { code: 'edits_invalid', detail: 'the edits do not fit what may be edited', errors: checked.errors };
  return { digest: subjectOf(draft, edited, editor(review, edits)).digest };
}

/** What a review that authorises nothing hands on: what was shown, as it was edited. */
const ownInput = (draft: Draft, { step, review }: Asked, edits: readonly JsonPatchOp[] | null): Json =>
  subjectOf(draft, step, editor(review, edits)).input;

const unproven = (reviewId: string, revision: number): Outcome =>
  rejected({ code: 'decision_unproven', detail: `review-${reviewId} says nothing at revision ${revision} that could be applied` });

const mismatch = ({ subjectDigest }: ReviewEntry, got: string): Outcome =>
  rejected({ code: 'digest_mismatch', detail: 'the decision is about another subject', expected: subjectDigest, got });
