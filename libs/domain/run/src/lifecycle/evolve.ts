import type { Envelope, RunEvent } from '../events.js';
import { outputOf } from '../steps/evolve.js';
import type { RunEnd, RunState } from '../state.js';

/** Folds the run's beginning and its end. */
export function evolveLifecycle(state: RunState, event: RunEvent, envelope: Envelope): RunState {
  switch (event.type) {
    case 'RunStarted':
      return {
        ...state,
        started: event.data,
        startedAt: envelope.at,
        ledger: {
          ...state.ledger,
          branches: state.ledger.branches.set(state.branch, { head: true, epoch: state.ledger.epoch, ended: false }),
        },
      };
    case 'RunCompleted':
      return ended(state, { outcome: event.data.outcome, at: envelope.at, output: outputOf(event.data) });
    case 'RunGaveUp':
      return ended(state, {
        outcome: 'gave_up',
        at: envelope.at,
        problem: { ...(event.data.step === undefined ? {} : { step: event.data.step }), message: event.data.rule },
      });
    case 'RunCancelled':
      return ended(state, { outcome: 'cancelled', at: envelope.at, problem: { message: event.data.reason ?? 'cancelled' } });
    case 'RunPaused':
      return controlled({ ...state, path: { ...state.path, paused: true } }, envelope);
    case 'RunUnpaused':
      return controlled({ ...state, path: { ...state.path, paused: false, deferred: [] } }, envelope);
    case 'RunFailed':
      return ended(state, { outcome: 'failed', at: envelope.at, problem: event.data });
    default:
      return state;
  }
}

const controlled = (state: RunState, { causationId }: Envelope): RunState => ({
  ...state,
  ledger: { ...state.ledger, controls: [...state.ledger.controls, causationId] },
});

/** Open attempts are closed by the end itself: what still comes is late. */
export function ended(state: RunState, end: RunEnd): RunState {
  let closed = state.path.closed;
  for (const [attemptId, attempt] of state.path.attempts.entries()) closed = closed.set(attemptId, { step: attempt.step, replyId: null });
  const counts = { ...state.path.counts, firstAttempts: 0, laterAttempts: 0, retriesOwed: 0, blocked: 0, unknown: 0 };
  const branch = state.ledger.branches.get(state.branch);
  return {
    ...state,
    end,
    ledger:
      branch === undefined
        ? state.ledger
        : { ...state.ledger, branches: state.ledger.branches.set(state.branch, { ...branch, ended: true }) },
    path: { ...state.path, attempts: state.path.attempts.size === 0 ? state.path.attempts : emptied(state), closed, counts },
  };
}

const emptied = (state: RunState): RunState['path']['attempts'] => {
  let attempts = state.path.attempts;
  for (const attemptId of state.path.attempts.keys()) attempts = attempts.delete(attemptId);
  return attempts;
};
