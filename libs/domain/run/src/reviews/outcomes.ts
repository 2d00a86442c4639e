import { proposersOf, type Plan, type PlannedReview, type PlannedStep } from '@cairn/domain-definition';
import { idOf } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { mayBranch, nextBranch } from '../branches/evolve.js';
import type { ForkRequest } from '../branches/fork.js';
import { alternativesLeft, branchOf, reducedTo } from '../recovery/ways.js';
import type { RunState } from '../state.js';
import type { RecordedDecision } from './commands.js';
import type { ReviewId, ReviewOption } from './events.js';
import { isOpenReview } from './evolve.js';

/**
 * What may be decided as the run stands. An outcome that leads on by another way is one that is left: `fallback` and `reduce` name it, and where
 * none is left they stop. What cannot be sent back to anybody is not offered to be.
 */
export function optionsOf(draft: Draft, step: PlannedStep, review: PlannedReview): readonly ReviewOption[] {
  const guarded = review.authorises.join(', ');
  return review.verdicts.flatMap(({ verdict, then: declared }): ReviewOption[] => {
    const then = resolved(draft, step, declared);
    if (verdict === 'revise' && then === 'stop' && declared === 'branch') return [];
    const label = verdict.charAt(0).toUpperCase() + verdict.slice(1);
    return [{ id: verdict, label, verdict, then, preview: previewOf(draft, step, { verdict, then, declared, guarded }) }];
  });
}

/** An outcome with the way that it takes now. */
function resolved(draft: Draft, step: PlannedStep, then: string): string {
  const { plan, state } = draft;
  if (then === 'branch') return mayBranch(state) && proposerOf(plan, state, step) !== undefined ? then : 'stop';
  if (then === 'fallback') {
    const proposer = mayBranch(state) ? proposerOf(plan, state, step) : undefined;
    const [left] = proposer === undefined ? [] : alternativesLeft(draft, proposer, proposer.id);
    return left === undefined ? 'stop' : `fallback:${left}`;
  }
  const [outcome, id] = then.split(':');
  if (outcome !== 'reduce') return then;
  const told = { reason: '', evidence: [] };
  const left = plan.reduced.find(
    (path) =>
      (id === undefined || path.id === id) &&
      !state.path.reduced.includes(path.id) &&
      mayBranch(state) &&
      !('refused' in reducedTo(draft, path, told)),
  );
  return left === undefined ? 'stop' : `reduce:${left.id}`;
}

/** The task that made what is reviewed: of those that may have the first that has run here. */
export function proposerOf(plan: Plan, { path }: RunState, step: PlannedStep): PlannedStep | undefined {
  return proposersOf(plan, step).find(({ id }) => path.loops.has(id) || path.steps.get(id)?.status === 'succeeded');
}

/** Where a branch begins that does again what was proposed: just before that began, by the way that it was made. */
export function forkBefore({ branch, path }: RunState, { id }: PlannedStep): ForkRequest {
  return { branch, at: path.loops.has(id) ? `${id}#1` : id, made: true };
}

/** The point of the run that has to be at hand when this decision is applied; `undefined` for most. */
export function forkWanted(
  plan: Plan,
  state: RunState,
  reviewId: ReviewId,
  recorded: RecordedDecision | undefined,
): ForkRequest | undefined {
  const entry = state.path.reviews.get(reviewId);
  if (entry === undefined || !isOpenReview(entry) || entry.attemptId !== undefined || recorded?.type !== 'ReviewDecided') return undefined;
  const then = entry.offers[String(recorded.data['verdict'])];
  if (then === undefined || !goesBack(then)) return undefined;
  const step = plan.step(entry.step);
  const proposer = step === undefined ? undefined : proposerOf(plan, state, step);
  return proposer === undefined ? undefined : forkBefore(state, proposer);
}

/** Whether what was proposed is done again, on a branch from before it. */
export const goesBack = (then: string): boolean => then === 'branch' || then.startsWith('fallback');

/** The branch on which the run completes with less. */
export function reductionOf(draft: Draft, step: string, then: string, told: { reason: string; evidence: readonly string[] }) {
  return branchOf(draft, step, { decision: 'reduce_scope', change: { reduce: then.slice('reduce:'.length) } }, told);
}

/** Reviews of a step on one branch that are looked for, where one is asked again on another. */
const EARLIER_MAX = 8;

/** The review that sent the proposal back for which this branch was opened: people see what has changed since. */
export function sentBackBy({ runId, opened, ledger }: RunState, step: string): ReviewId | undefined {
  const named = (opened?.evidence ?? []).flatMap((one) => (one.startsWith('review:') ? [one.slice('review:'.length)] : []));
  if (named.length === 0) return undefined;
  for (const branch of ledger.branches.keys())
    for (let n = 1; n <= EARLIER_MAX; n++) {
      const id = idOf('review', runId, branch, step, n);
      if (named.includes(id)) return id;
    }
  return undefined;
}

/** The consequence in words. */
function previewOf(
  { plan, state }: Draft,
  step: PlannedStep,
  {
    verdict,
    then,
    declared,
    guarded,
  }: { readonly verdict: string; readonly then: string; readonly declared: string; readonly guarded: string },
): string {
  const isYes = (verdict === 'approve' || verdict === 'edit') && (then === 'continue' || then.startsWith('step:'));
  const of = guarded === '' ? '' : isYes ? `; ${guarded} may start${verdict === 'edit' ? ' as edited' : ''}` : `; ${guarded} is skipped`;
  if (then === 'stop') return `The run fails as rejected${declared === 'stop' ? '' : `: nothing is left to ${declared}`}.`;
  if (then === 'give_up') return 'The run gives up.';
  if (then === 'again') return `The wait that asks this opens again, with its deadline anew.`;
  if (then.startsWith('step:')) return `${then.slice('step:'.length)} runs, then the run goes on${of}.`;
  if (then.startsWith('reduce:')) {
    const path = plan.reduced.find(({ id }) => id === then.slice('reduce:'.length));
    return `Opens a reduced_scope branch (the next is ${nextBranch(state)}): the run goes on without ${path?.drops.join(', ') ?? ''}.`;
  }
  if (goesBack(then)) {
    const proposer = proposerOf(plan, state, step);
    const fallback = proposer?.fallback[Number(then.split(':')[1] ?? -1)];
    const [cause, how] = fallback === undefined ? ['retry_modified', 'with your guidance'] : ['fallback', `by queue ${fallback.queue}`];
    return (
      `Opens a ${cause} branch (the next is ${nextBranch(state)}) from before ${proposer?.id ?? ''}, which runs again ${how}, and so does what ` +
      'comes after it; effects that have happened are taken over and not done again; then people are asked anew.'
    );
  }
  return `The run goes on${of}.`;
}
