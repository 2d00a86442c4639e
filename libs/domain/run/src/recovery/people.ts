import { applyEdits, type JsonPatchOp, type PlannedStep, type Verdict } from '@cairn/domain-definition';
import { idOf, instantOf, invariant, nothing, rejected, type Decision, type Id, type Json, type JsonObject } from '@cairn/kernel';
import { advance, settleSkipped, startDueRetry } from '../advance.js';
import { branchesMax, mayBranch, nextBranch } from '../branches/evolve.js';
import { supersedeByPolicy } from '../branches/supersede.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { isEffectUnknown } from '../effects/evolve.js';
import type { RunEvent } from '../events.js';
import { endRun } from '../lifecycle/end.js';
import type { RunRejection } from '../rejections.js';
import { subjectDigestOf } from '../reviews/digest.js';
import type { ReviewOption, ReviewRequested, ReviewSubject, ReviewWhy, VerdictApplied } from '../reviews/events.js';
import { reviewsOf } from '../reviews/evolve.js';
import { DEFINITION_ERROR } from '../steps/start.js';
import { isSettled } from '../steps/evolve.js';
import { parseOccurrence, type RetryEntry, type ReviewEntry } from '../state.js';
import { reachCheckpoint } from './checkpoint.js';
import { alternativesLeft, branchOf, type Told, type WayOn } from './ways.js';

/** How long people have to say what becomes of a failure. Then the review is passed up and stays open: silence decides nothing. */
export const RECOVERY_DEADLINE_MS = 86_400_000;
/** Whose inbox it is where a policy escalates and names nobody. */
const NOBODYS_QUEUE = 'recovery';
/** What a person may change about an attempt: pointers into `{input, params}`. Another queue is an alternative that is declared. */
export const RECOVERY_EDITABLE: readonly string[] = ['/input', '/params'];
/** Characters of a failure's message within our sentence. */
const SAID_MAX = 200;
/** Steps that a preview names; of more it says how many. */
const NAMED_MAX = 8;

/**
 * People are asked what becomes of a failed attempt: the checkpoint and `ReviewRequested`, in the append of what made them be asked (I-18).
 * The options are what can be done as the run stands, each with its consequence (C-REVIEWTRIG). Nothing follows the failure before that.
 */
export function askAboutFailure(draft: Draft, attemptId: Id, previous?: Id): void {
  const n = draft.state.path.retries.get(attemptId)?.n ?? 1;
  ask(draft, attemptId, { why: n > 1 ? 'after_retries' : 'recovery', previous });
}

/**
 * A policy wants a branch, and the run has as many as it may have: people say whether it goes on with one more (`limits.branches`,
 * `capabilities.md` §3.1). `wanted`: what the policy decided. A run never ends over a limit in silence.
 */
export function askAboutBudget(draft: Draft, attemptId: Id, wanted: JsonObject, previous?: Id): void {
  ask(draft, attemptId, { why: 'budget', previous, wanted });
}

function ask(
  draft: Draft,
  attemptId: Id,
  { why, previous, wanted }: { readonly why: ReviewWhy; readonly previous: Id | undefined; readonly wanted?: JsonObject },
): void {
  const retry = draft.state.path.retries.get(attemptId);
  invariant(retry?.judged !== undefined, `attempt ${attemptId} was judged`);
  const { step, n, message, bucket, failedBranch, failedRevision, failedAt, judged } = retry;
  const planned = draft.plan.step(parseOccurrence(step).step);
  const subject = subjectOfFailure(draft, step);
  const restores = `${step}.review`;
  const turn = reviewsOf(draft.state, step).length + 1;
  reachCheckpoint(draft, {
    name: restores,
    kind: 'review',
    step,
    claim: { says: `what becomes of ${step} is asked, and what is complete stays so`, artifacts: [] },
  });
  const { now } = draft.context;
  const { size } = draft.state.ledger.branches;
  const limit = why === 'budget' ? `limits.branches: the run has ${size} branches and may have ${branchesMax(draft.state)}. ` : '';
  const data: ReviewRequested['data'] = {
    reviewId: idOf('review', draft.state.runId, draft.state.branch, step, turn),
    step,
    n: turn,
    why,
    queue: judged.queue ?? NOBODYS_QUEUE,
    risk: planned?.risk ?? 'low',
    question: `What becomes of ${step}? ${limit}Attempt ${n} failed, judged ${bucket ?? 'unclassified'}: ${cut(message)}`,
    options: optionsAfter(draft, attemptId, why),
    subjects: [subject],
    subjectDigest: subject.digest,
    ...(previous === undefined ? {} : { previous }),
    attemptId,
    editable: RECOVERY_EDITABLE,
    candidates: [],
    quorum: { of: 1, notSameAs: [] },
    deadline: instantOf(now + RECOVERY_DEADLINE_MS),
    onDeadline: 'escalate',
    escalate: [],
    receiptTtl: RECOVERY_DEADLINE_MS,
    evidence: [
      { at: `${failedBranch}@${failedRevision}`, attempt: n, attemptId, bucket, failedAt, message: cut(message), rule: judged.rule },
      ...(why === 'budget'
        ? [{ limit: 'branches', is: size, max: branchesMax(draft.state), ...(wanted === undefined ? {} : { wanted }) }]
        : []),
    ],
    assumptions: [],
    restores,
  };
  draft.add({ type: 'ReviewRequested', version: 1, data });
}

/**
 * What can be done about a failure as the run stands, in the order in which people are offered it. Asked over the budget, what opens a
 * branch is offered all the same: each says that it goes one beyond the limit.
 */
export function optionsAfter(draft: Draft, attemptId: Id, why: ReviewWhy): readonly ReviewOption[] {
  const { state, plan } = draft;
  const retry = state.path.retries.get(attemptId);
  const step = retry === undefined ? undefined : plan.step(parseOccurrence(retry.step).step);
  if (retry === undefined || step === undefined) return [];
  // Work about an effect asks about it as it is: there is no other way to do it.
  const isAbout = parseOccurrence(retry.step).part !== undefined;
  const isDoubtful = !isAbout && isEffectUnknown(state, retry.step);
  const opensOne = !isAbout && (why === 'budget' || mayBranch(state)) && !isDoubtful;
  // An expression without an answer gave the attempt nothing to work on: as it was it can only fail again.
  const isWhole = retry.bucket !== DEFINITION_ERROR;
  const mayRepeat = isWhole && (!isDoubtful || step.effect?.guarantee === 'idempotent');
  return [
    ...(opensOne ? [againChanged(draft, retry)] : []),
    ...(opensOne && isWhole ? alternativesLeft(draft, step, retry.step).map((i) => fallbackTo(draft, retry, step, i)) : []),
    ...(opensOne ? reductions(draft, retry, step) : []),
    ...(mayRepeat ? [againAsItWas(draft, retry)] : []),
    giveUp(retry, step),
  ];
}

const option = (id: string, label: string, verdict: Verdict, then: string, preview: string): ReviewOption => ({
  id,
  label,
  verdict,
  then,
  preview,
});

const againChanged = (draft: Draft, retry: RetryEntry): ReviewOption =>
  option(
    'retry_modified',
    'Again, changed',
    'revise',
    'branch',
    `${opens(draft, 'retry_modified')}: ${nextAttempt(retry)} goes out with your guidance, and its input and params as you edit them. ${kept(draft, retry.step)}`,
  );

function fallbackTo(draft: Draft, retry: RetryEntry, step: PlannedStep, index: number): ReviewOption {
  const alternative = step.fallback[index];
  const queue = alternative?.queue ?? '';
  const how = `queue ${queue}${alternative?.params === undefined ? '' : ', with params of its own'}`;
  return option(
    `fallback:${index}`,
    `Fall back to ${queue}`,
    'approve',
    `fallback:${index}`,
    `${opens(draft, 'fallback')}: ${nextAttempt(retry)} goes to ${how}. ${kept(draft, retry.step)}`,
  );
}

function reductions(draft: Draft, { step: occurrence }: RetryEntry, { id }: PlannedStep): ReviewOption[] {
  const paths = draft.plan.reduced.filter(({ drops }) => drops.includes(id));
  return paths.flatMap((path) => {
    const way: WayOn = { decision: 'reduce_scope', change: { reduce: path.id } };
    if ('refused' in branchOf(draft, occurrence, way, { reason: '', evidence: [] })) return [];
    const steps = path.steps.length === 0 ? '' : `, ${path.steps.join(', ')} may run in its place`;
    return [
      option(
        `reduce:${path.id}`,
        path.summary,
        'approve',
        `reduce:${path.id}`,
        `${opens(draft, 'reduced_scope')}: the run goes on without ${path.drops.join(', ')}${steps}. ${kept(draft, occurrence)}`,
      ),
    ];
  });
}

const againAsItWas = (draft: Draft, retry: RetryEntry): ReviewOption =>
  option(
    'retry',
    'Again, as it was',
    'approve',
    'again',
    `${nextAttempt(retry)} goes out on branch ${draft.state.branch} with what attempt ${retry.n} had. ${kept(draft, retry.step)}`,
  );

const giveUp = ({ step, n }: RetryEntry, { optional }: PlannedStep): ReviewOption =>
  option(
    'give_up',
    'Give up',
    'reject',
    'give_up',
    optional
      ? `${step} counts as skipped, since it is optional, and the run goes on.`
      : `The run ends as gave_up after ${n} ${n === 1 ? 'attempt' : 'attempts'} of ${step}; what is open is withdrawn.`,
  );

const opens = ({ state }: Draft, cause: string): string =>
  `Opens a ${cause} branch (the next is ${nextBranch(state)}${mayBranch(state) ? '' : `, one more than limits.branches allows`})`;
const nextAttempt = ({ step, n }: RetryEntry): string => `attempt ${n + 1} of ${step}`;

/** What stays as it is, and what goes on beside the step. */
function kept({ plan, state }: Draft, occurrence: string): string {
  const { step: failed } = parseOccurrence(occurrence);
  const done = plan.steps.filter(({ id }) => isSettled(state, id)).map(({ id }) => id);
  const open = [
    ...[...state.path.attempts.values()].map(({ step }) => step),
    ...[...state.path.waits.values()].flatMap((wait) => (wait.open ? [wait.step] : [])),
  ].filter((step) => parseOccurrence(step).step !== failed);
  const under = open.length === 0 ? '' : ` ${listed([...new Set(open)].sort())} ${open.length === 1 ? 'goes' : 'go'} on.`;
  return `${done.length === 0 ? 'Nothing else is done yet.' : `Kept as done: ${listed(done)}.`}${under}`;
}

const listed = (steps: readonly string[]): string =>
  steps.length <= NAMED_MAX ? steps.join(', ') : `${steps.slice(0, NAMED_MAX).join(', ')} and ${steps.length - NAMED_MAX} more`;

const cut = (text: string): string => (text.length <= SAID_MAX ? text : `${text.slice(0, SAID_MAX - 1)}…`).toWellFormed();

/** The attempt as it would go out again. */
function subjectOfFailure({ plan, state }: Draft, occurrence: string): ReviewSubject {
  const { work } = state.path.steps.get(occurrence) ?? {};
  const key = work?.effect?.key;
  const fingerprint = key === undefined ? undefined : state.ledger.effects.get(key)?.fingerprint;
  const effect = key === undefined || fingerprint === undefined ? null : { key, fingerprint };
  const subject = { step: occurrence, input: work?.input ?? null, params: work?.params ?? {}, effect };
  return { ...subject, digest: subjectDigestOf(plan.hash, subject) };
}

/** What people decided, as the review's own stream tells it. */
export interface DecidedByPeople {
  readonly verdict: Verdict;
  readonly option: string;
  readonly subjectDigest: string;
  readonly by: readonly string[];
  readonly reason: string;
  readonly edits?: readonly JsonPatchOp[];
  readonly guidance?: string;
}

type Outcome = Decision<RunEvent, RunRejection>;

/**
 * A decision about a failure takes effect: exactly the option that was chosen. One that cannot be done any more is not done in another way:
 * the run asks again, with what can be done now.
 */
export function applyToFailure(
  draft: Draft,
  {
    reviewId,
    entry,
    attemptId,
    decided,
    revision,
  }: {
    readonly reviewId: Id;
    readonly entry: ReviewEntry;
    readonly attemptId: Id;
    readonly decided: DecidedByPeople;
    readonly revision: number;
  },
): Outcome {
  const retry = draft.state.path.retries.get(attemptId);
  if (retry === undefined || retry.settled) return nothing('late');
  const chosen = optionsAfter(draft, attemptId, entry.why).find(({ id, verdict }) => id === decided.option && verdict === decided.verdict);
  const told: Told = {
    reason: decided.reason,
    evidence: [`${retry.failedBranch}@${retry.failedRevision}`, `review:${reviewId}`],
  };
  const wrong = chosen?.then === 'branch' ? wrongEdits(draft, retry.step, decided.edits) : undefined;
  if (wrong !== undefined) return rejected(wrong);
  const way = chosen === undefined ? undefined : wayOf(chosen, decided);
  const branch = way === undefined ? undefined : branchOf(draft, retry.step, way, told);
  if (chosen === undefined || (branch !== undefined && 'refused' in branch)) {
    const why = branch !== undefined && 'refused' in branch ? branch.refused : 'the run has moved since';
    const says = `${decided.option} cannot be done any more (${why}); the run asks again`;
    draft.add({ type: 'ReviewWithdrawn', version: 1, data: { reviewId, step: entry.step, because: 'subject_changed', says } });
    if (entry.why === 'budget') askAboutBudget(draft, attemptId, { option: decided.option }, reviewId);
    else askAboutFailure(draft, attemptId, reviewId);
    return concluded(draft);
  }
  const { verdict, by, reason, edits, guidance, subjectDigest } = decided;
  const applied: VerdictApplied['data'] = {
    reviewId,
    step: entry.step,
    verdict,
    then: chosen.then,
    by,
    reason,
    subjectDigest,
    ...(edits === undefined ? {} : { edits }),
    attemptId,
    ...(guidance === undefined ? {} : { guidance }),
    decided: revision,
  };
  draft.add({ type: 'VerdictApplied', version: 1, data: applied });
  if (branch !== undefined) supersedeByPolicy(draft, branch);
  else if (chosen.then === 'again') startDueRetry(draft, attemptId);
  else giveUpOn(draft, attemptId, retry);
  return concluded(draft);
}

/** As where a policy gives up: a step that is optional is passed over, any other ends the run. */
function giveUpOn(draft: Draft, attemptId: Id, { step, n }: RetryEntry): void {
  const { step: id, part } = parseOccurrence(step);
  if (part === undefined && draft.plan.step(id)?.optional === true) {
    settleSkipped(draft, step, 'optional');
    return advance(draft, [step]);
  }
  endRun(draft, { type: 'RunGaveUp', version: 1, data: { step, attemptId, rule: 'review', numbers: { attempts: n } } });
}

/** The branch that a chosen option asks for, if any. */
function wayOf({ then }: ReviewOption, { edits = [], guidance }: DecidedByPeople): WayOn | undefined {
  if (then.startsWith('fallback:')) return { decision: 'fallback', change: { fallback: Number(then.slice('fallback:'.length)) } };
  if (then.startsWith('reduce:')) return { decision: 'reduce_scope', change: { reduce: then.slice('reduce:'.length) } };
  if (then !== 'branch') return undefined;
  const told: JsonPatchOp[] = guidance === undefined ? [] : [{ op: 'add', path: '/guidance', value: guidance }];
  return { decision: 'retry_modified', change: { patch: [...edits, ...told] as unknown as Json } };
}

/** Edits were checked where they were decided; what does not fit goes no further here either. */
function wrongEdits(draft: Draft, occurrence: string, edits: readonly JsonPatchOp[] | undefined): RunRejection | undefined {
  if (edits === undefined) return undefined;
  const { input, params } = subjectOfFailure(draft, occurrence);
  const edited = applyEdits({ input, params }, RECOVERY_EDITABLE, edits);
  return edited.ok ? undefined : { code: 'edits_invalid', detail: 'the edits do not fit what may be edited', errors: edited.errors };
}
