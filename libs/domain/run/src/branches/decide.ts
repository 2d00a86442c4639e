import { canon, nothing, rejected, type Decision, type Json } from '@cairn/kernel';
import type { OpenBranch } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { isOpenReview } from '../reviews/evolve.js';
import type { RunState } from '../state.js';
import type { BranchSpec, Carried } from './events.js';
import { changedInput, nextBranch } from './evolve.js';
import { carriedBy, planBranch } from './plan.js';
import type { BranchRequest, PlanFacts } from './request.js';

/**
 * A person's branch: it may grow anywhere, so everything that came or was done after that point is chosen first, and nothing about effects
 * in silence. One append to the head decides a race of two (B-48), and is done once for one request.
 */
export function openBranch(draft: Draft, { data }: OpenBranch): Decision<RunEvent, RunRejection> {
  const { fork, expected, documents, onlyOtherInput, ...said } = data;
  const { state, plan, context } = draft;
  if (state.ledger.controls.includes(context.causationId)) return nothing('duplicate');
  if (onlyOtherInput === true && hasInput(state, said)) return nothing('unchanged');
  if (fork === undefined || 'problem' in fork || fork.state === undefined) {
    const errors = fork !== undefined && 'problem' in fork ? [fork.problem] : [];
    return rejected({ code: 'fork_not_found', detail: errors[0]?.says ?? 'there is no such point in the run', errors });
  }
  // The run had this input where the branch grows, and has been given another since: going back there is all that is to be done.
  const asked = onlyOtherInput === true && hasInput(fork.state, said) ? { ...said, changes: [] } : said;
  const facts: PlanFacts = {
    plan: documents?.ofParent ?? plan,
    fork: fork.point,
    parent: fork.state,
    head: state,
    ...(documents === undefined ? {} : { documents }),
  };
  const request = isAsPlanned(facts, asked, expected) ? { ...asked, expectHead: `${state.branch}@${state.revision}` } : asked;
  const branchPlan = planBranch(facts, request);
  const { problems } = branchPlan;
  if (problems.length > 0 || branchPlan.unresolved.length > 0) {
    const open = branchPlan.unresolved.map((what) => ({
      pointer: `/${what}`,
      rule: 'choose',
      says: 'it is confirmed: choose what becomes of it',
    }));
    const errors = [...problems, ...open];
    const detail = `the branch is not opened: ${errors.map(({ pointer, says }) => `${pointer} ${says}`.trim()).join('; ')}`;
    const code = errors.every(({ rule }) => rule === 'head_moved') ? 'head_moved' : 'branch_refused';
    return rejected({ code, detail, errors, plan: branchPlan });
  }
  if (request.shadow === true) {
    // The head goes on as it is: nothing of it is withdrawn, and nothing of it is taken along.
    const carried: Carried = { attempts: [], waits: [], failures: [], events: [] };
    const spec = specOf(facts, request, carried);
    draft.add({ type: 'ShadowOpened', version: 1, data: { branch: nextBranch(state), spec } });
    return concluded(draft);
  }
  announce(draft, facts, request);
  return concluded(draft);
}

/** Whether the run has the input that the request would give it. */
function hasInput({ started }: RunState, { changes = [] }: BranchRequest): boolean {
  const input = started?.input ?? null;
  return canon(changedInput(input, changes)) === canon(input);
}

/** Withdraws what is not carried and hands the run on to the branch. Whoever calls has looked at its plan. */
export function announce(draft: Draft, facts: PlanFacts, request: BranchRequest): void {
  const { state } = draft;
  const carried = carriedBy(facts, request);
  for (const [waitId, { step, open }] of [...state.path.waits.entries()].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (open && !carried.waits.includes(waitId))
      draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step, because: 'branch' } });
  // What people were asked there they are asked again where the branch comes to it.
  for (const [reviewId, review] of [...state.path.reviews.entries()].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (isOpenReview(review)) draft.add({ type: 'ReviewWithdrawn', version: 1, data: { reviewId, step: review.step, because: 'branch' } });
  draft.add({
    type: 'BranchSuperseded',
    version: 1,
    data: {
      successor: nextBranch(state),
      spec: specOf(facts, request, carried),
    },
  });
}

const specOf = ({ fork: parent, parent: { path }, documents }: PlanFacts, request: BranchRequest, carried: Carried): BranchSpec => ({
  parent,
  checkpoint: path.checkpoint,
  cause: request.cause,
  reason: request.reason,
  evidence: request.evidence ?? [],
  changes: request.changes ?? [],
  carried,
  effectsChoices: request.effects ?? {},
  ...(request.effectReasons === undefined ? {} : { effectsReasons: request.effectReasons }),
  lesson: request.lesson ?? 'told',
  ...(documents?.definition === undefined ? {} : { definition: documents.definition.pin }),
  ...(documents === undefined || documents.policies.length === 0 ? {} : { policies: documents.policies }),
});

/** The head has gone on since the plan was made, and the plan would be the same now: nothing was chosen in ignorance (`architecture.md` §3.2). */
function isAsPlanned(facts: PlanFacts, request: BranchRequest, expected: RunState | undefined): boolean {
  if (expected === undefined || expected.branch !== facts.head.branch) return false;
  const [then, now] = [expected, facts.head].map((head) => {
    const { reruns, received, effects } = planBranch({ ...facts, head }, request);
    return canon({ reruns, received: received as unknown as Json, effects: effects as unknown as Json });
  });
  return then === now;
}
