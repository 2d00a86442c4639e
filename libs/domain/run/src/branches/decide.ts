import { nothing, rejected, type Decision } from '@cairn/kernel';
import type { OpenBranch } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { nextBranch } from './evolve.js';
import { carriedBy, planBranch } from './plan.js';

/**
 * A person's branch: it may grow anywhere, so everything that came or was done after that point is chosen first, and nothing about effects
 * in silence. One append to the head decides a race of two (B-48), and is done once for one request.
 */
export function openBranch(draft: Draft, { data }: OpenBranch): Decision<RunEvent, RunRejection> {
  const { fork, ...request } = data;
  const { state, plan, context } = draft;
  if (state.ledger.controls.includes(context.causationId)) return nothing('duplicate');
  if (fork === undefined || 'problem' in fork || fork.state === undefined) {
    const errors = fork !== undefined && 'problem' in fork ? [fork.problem] : [];
    return rejected({ code: 'fork_not_found', detail: errors[0]?.says ?? 'there is no such point in the run', errors });
  }
  const facts = { plan, fork: fork.point, parent: fork.state, head: state };
  const branchPlan = planBranch(facts, request);
  const max = state.started?.limits.branches ?? 0;
  const problems = [
    ...branchPlan.problems,
    ...(state.ledger.branches.size >= max
      ? [{ pointer: '', rule: 'limits.branches', says: `the run has ${max} branches, and may have no more` }]
      : []),
  ];
  if (problems.length > 0 || branchPlan.unresolved.length > 0) {
    const open = branchPlan.unresolved.map((what) => ({
      pointer: `/${what}`,
      rule: 'choose',
      says: 'it is confirmed: choose what becomes of it',
    }));
    const errors = [...problems, ...open];
    const detail = `the branch is not opened: ${errors.map(({ pointer, says }) => `${pointer} ${says}`.trim()).join('; ')}`;
    return rejected({ code: 'branch_refused', detail, errors, plan: { ...branchPlan, problems } });
  }
  const carried = carriedBy(facts, request);
  for (const [waitId, { step, open }] of [...state.path.waits.entries()].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (open && !carried.waits.includes(waitId))
      draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step, because: 'branch' } });
  draft.add({
    type: 'BranchSuperseded',
    version: 1,
    data: {
      successor: nextBranch(state),
      spec: {
        parent: fork.point,
        checkpoint: fork.state.path.checkpoint,
        cause: request.cause,
        reason: request.reason,
        evidence: request.evidence ?? [],
        changes: request.changes ?? [],
        carried,
        effectsChoices: request.effects ?? {},
        lesson: request.lesson ?? 'told',
      },
    },
  });
  return concluded(draft);
}
