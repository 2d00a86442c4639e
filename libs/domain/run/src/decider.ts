import type { Plan } from '@cairn/domain-definition';
import { nothing, rejected, unreachable, type Decision } from '@cairn/kernel';
import { openBranch } from './branches/decide.js';
import { decideInShadow, abandonBranch } from './branches/decide-in-shadow.js';
import type { CommandContext, RunCommand } from './commands.js';
import { Draft, MissingOutput, NOTHING_LOADED, type LoadedOutputs } from './draft.js';
import { cancelRun, pauseRun, unpauseRun, wasDone } from './lifecycle/control.js';
import { compensateEffect, reconcileEffect } from './effects/decide.js';
import { startRun } from './lifecycle/decide.js';
import { applyRetryDecision } from './recovery/decide.js';
import { applyEscalation, applyVerdict } from './reviews/decide.js';
import type { RunRejection } from './rejections.js';
import type { RunEvent } from './events.js';
import type { RunState } from './state.js';
import { recordLapse, recordReply, takeAttempt } from './steps/decide.js';
import { expireWait, markStale, wakeRun } from './waits/decide.js';
import { rescheduleWait } from './waits/reschedule.js';

/** A decision, and the state that its events give: what folding them would give, without folding them again. */
export interface Decided {
  readonly decision: Decision<RunEvent, RunRejection>;
  readonly after: RunState;
}

/**
 * Decides what a command makes of a run: pure, total, bounded. Throws `MissingOutput` if an expression needs an output that is held
 * by reference and was not loaded; the caller loads it and decides again.
 */
export function decideRun(
  plan: Plan,
  state: RunState,
  command: RunCommand,
  context: CommandContext,
  loaded: LoadedOutputs = NOTHING_LOADED,
): Decided {
  const draft = new Draft(plan, state, context, loaded);
  const decision = decide(draft, command);
  return { decision, after: decision.kind === 'accepted' ? draft.state : state };
}

function decide(draft: Draft, command: RunCommand): Decision<RunEvent, RunRejection> {
  if (command.type === 'StartRun') return startRun(draft, command);
  if (draft.state.started === null) return rejected({ code: 'run_not_found', detail: 'there is no such run' });
  if (draft.state.shadow !== null) return decideInShadow(draft, command);
  if (draft.state.superseded !== null) return nothing('late'); // The run goes on elsewhere: whoever decides here has not looked.
  if (command.type === 'RecordReply') return recordReply(draft, command); // Welcome after the end, too: as late.
  if (command.type === 'AbandonBranch') return abandonBranch(draft, command);
  if (command.type === 'OpenBranch') return openBranch(draft, command); // An ended run is recovered the same way.
  // What became of an effect is found out, and undone, after the end as well; only such attempts are open then.
  if (command.type === 'ReconcileEffect') return reconcileEffect(draft, command);
  if (command.type === 'CompensateEffect') return compensateEffect(draft, command);
  if (command.type === 'RecordLapse') return recordLapse(draft, command);
  if (draft.state.end !== null) return nothing(wasDone(draft, command) ? 'duplicate' : 'late');
  switch (command.type) {
    case 'TakeAttempt':
      return takeAttempt(draft, command);
    case 'PauseRun':
      return pauseRun(draft, command);
    case 'UnpauseRun':
      return unpauseRun(draft, command);
    case 'CancelRun':
      return cancelRun(draft, command);
    case 'WakeRun':
      return wakeRun(draft, command);
    case 'ExpireWait':
      return expireWait(draft, command);
    case 'MarkStale':
      return markStale(draft, command);
    case 'RescheduleWait':
      return rescheduleWait(draft, command);
    case 'ApplyRetryDecision':
      return applyRetryDecision(draft, command);
    case 'ApplyVerdict':
      return applyVerdict(draft, command);
    case 'ApplyEscalation':
      return applyEscalation(draft, command);
    default:
      return unreachable(command);
  }
}

export { MissingOutput, NOTHING_LOADED, type LoadedOutputs };
export type { RunRejection };
