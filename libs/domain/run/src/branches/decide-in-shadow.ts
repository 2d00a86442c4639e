import { nothing, rejected, type Decision } from '@cairn/kernel';
import { goOnInShadow } from '../advance.js';
import type { AbandonBranch, RecordReply, RunCommand } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { recordLapse, recordReply } from '../steps/decide.js';
import { wakeRun } from '../waits/decide.js';

type Outcome = Decision<RunEvent, RunRejection>;

/**
 * What a shadow takes: that it begins, what its own handlers say, and that somebody gives it up. Everything else is about the run, which is
 * the head's affair.
 */
export function decideInShadow(draft: Draft, command: RunCommand): Outcome {
  const isOver = draft.state.end !== null;
  switch (command.type) {
    case 'AbandonBranch':
      return abandonBranch(draft, command);
    case 'RecordReply':
      return draft.state.path.attempts.has(command.data.attemptId) ? settled(draft, recordReply(draft, command)) : past(draft, command);
    case 'RecordLapse':
      return isOver ? nothing('late') : settled(draft, recordLapse(draft, command));
    case 'WakeRun':
      if (isOver || command.data.kind !== 'branch') return nothing('late');
      return settled(draft, wakeRun(draft, command));
    default:
      return nothing('late');
  }
}

/** Whatever was decided may have been the last that was under way. */
function settled(draft: Draft, outcome: Outcome): Outcome {
  if (outcome.kind === 'rejected') return outcome;
  goOnInShadow(draft);
  return draft.events.length === 0 ? outcome : concluded(draft);
}

/** Of an attempt that is over here; one that never was may be the head's. Nothing late is kept of a shadow: nobody acts on it. */
function past({ state }: Draft, { data: { attemptId, replyId } }: RecordReply): Outcome {
  const closed = state.path.closed.get(attemptId);
  if (closed === undefined || state.shadow === null)
    return rejected({ code: 'attempt_not_found', detail: `no attempt ${attemptId} in this shadow` });
  return nothing(closed.replyId === replyId ? 'duplicate' : 'late');
}

/** Gives up a shadow, once. Only what acts on nothing can be given up: the run itself is cancelled, or recovered on another branch. */
export function abandonBranch(draft: Draft, { data: { branch, reason } }: AbandonBranch): Outcome {
  const { state } = draft;
  if (state.shadow !== null && state.branch === branch) {
    if (state.end !== null) return nothing(state.end.outcome === 'abandoned' ? 'duplicate' : 'late');
    draft.add({ type: 'BranchAbandoned', version: 1, data: { reason } });
    return concluded(draft);
  }
  const [code, rule, detail] = state.ledger.branches.has(branch)
    ? ([
        'not_a_shadow',
        'shadow',
        `${branch} is no shadow: only shadow branches are given up; the run itself is cancelled, or goes on`,
      ] as const)
    : (['branch_not_found', 'unknown-ref', `the run has no branch ${branch}`] as const);
  return rejected({ code, detail, errors: [{ pointer: '/branch', rule, says: detail }] });
}
