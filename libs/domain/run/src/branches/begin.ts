import type { RunState } from '../state.js';

/**
 * What a branch is before its first event: the path of its parent at the fork, the ledger of the head that it follows, which never rewinds
 * (`architecture.md` §3.1). Attempts that only the predecessor knew are over: what still comes for them is late.
 */
export function beginningOf(branch: string, parent: RunState, predecessor: RunState): RunState {
  let { closed } = predecessor.path;
  for (const [attemptId, entry] of parent.path.closed.entries()) if (!closed.has(attemptId)) closed = closed.set(attemptId, entry);
  for (const [attemptId, { step }] of predecessor.path.attempts.entries())
    if (!parent.path.attempts.has(attemptId)) closed = closed.set(attemptId, { step, replyId: null });
  return {
    ...parent,
    branch,
    revision: -1,
    at: predecessor.at,
    path: { ...parent.path, closed },
    ledger: { ...predecessor.ledger, epoch: predecessor.ledger.branches.get(branch)?.epoch ?? predecessor.ledger.epoch },
    end: null,
    superseded: null,
    opened: null,
    digested: null,
  };
}
