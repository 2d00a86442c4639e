import type { Envelope, RunEvent } from '../events.js';
import { failedOver, isEffectUnknown } from '../effects/evolve.js';
import { count } from '../steps/evolve.js';
import type { RetryVerdict } from './events.js';
import { partOf, type RetryEntry, type RunState } from '../state.js';

/** Folds failures, what was decided about them, and checkpoints. */
export function evolveRecovery(state: RunState, event: RunEvent, envelope: Envelope): RunState {
  switch (event.type) {
    case 'StepFailed': {
      const { step, attemptId, failure } = event.data;
      const entry: RetryEntry = {
        step,
        n: state.path.steps.get(step)?.attempts ?? 1,
        message: failure.message,
        failedAt: envelope.at,
        failedBranch: state.branch,
        failedRevision: envelope.revision,
        decision: null,
        bucket: null,
        notBefore: null,
        settled: false,
      };
      return {
        ...state,
        path: { ...state.path, retries: state.path.retries.set(attemptId, entry), counts: count(state.path.counts, { retriesOwed: 1 }) },
      };
    }
    case 'RetryDecided': {
      const { attemptId, decision, bucket, notBefore, queue, justification } = event.data;
      const before = state.path.retries.get(attemptId);
      if (before === undefined) return state;
      const retried = goesOn(decision);
      // Given up: nothing is owed any more. Another attempt and a block are until the step goes on.
      const blocked = isBlocking(decision) ? 1 : 0;
      const unknown = blocked === 1 && isEffectUnknown(state, before.step) ? 1 : 0;
      const entry: RetryEntry = {
        ...before,
        decision,
        bucket,
        notBefore: notBefore ?? null,
        settled: !retried && blocked === 0,
        ...(decision === 'retry' ? {} : { judged: { queue: queue ?? null, rule: justification.rule } }),
        ...(unknown === 1 ? { unknown: true } : {}),
      };
      const counts = retried ? state.path.counts : count(state.path.counts, { retriesOwed: -1, blocked, unknown });
      return { ...state, path: { ...state.path, retries: state.path.retries.set(attemptId, entry), counts } };
    }
    case 'ReviewRequested':
      return event.data.attemptId === undefined ? state : handedToPeople(state, event.data.attemptId);
    case 'StepStarted':
    case 'StepSkipped':
      return settleRetries(state, event.data.step);
    case 'EffectConfirmed': {
      const { by, step } = event.data;
      if (by === 'reply' || failedOver(state, event.data) === undefined) return state;
      return settleRetries(settleRetries(state, step), partOf(step, 'reconcile'));
    }
    case 'EffectAbsent': {
      const { step } = event.data;
      return failedOver(state, event.data) === undefined ? state : reopened(settleRetries(state, partOf(step, 'reconcile')), step);
    }
    case 'CheckpointReached': {
      const { name, kind } = event.data;
      return {
        ...state,
        path: { ...state.path, checkpoints: state.path.checkpoints.set(name, kind), checkpoint: name },
        digested: { path: state.path, ledger: state.ledger },
      };
    }
    default:
      return state;
  }
}

/**
 * People are asked about the failure. Most often the policy said so; where it wanted a branch that the run may not open any more, they stand
 * in its place.
 */
function handedToPeople(state: RunState, attemptId: string): RunState {
  const before = state.path.retries.get(attemptId);
  if (before?.decision !== 'retry_modified' && before?.decision !== 'fallback' && before?.decision !== 'reduce_scope') return state;
  const counts = count(state.path.counts, { retriesOwed: before.settled ? 0 : -1, blocked: 1 });
  const entry: RetryEntry = { ...before, decision: 'escalate', notBefore: null, settled: false };
  return { ...state, path: { ...state.path, retries: state.path.retries.set(attemptId, entry), counts } };
}

/** What people decide of an escalated failure, by what follows (`then` of the verdict). Stands where the policy's decision stood. */
export function decisionOfPeople(then: string): RetryVerdict {
  if (then === 'again') return 'retry';
  if (then === 'branch') return 'retry_modified';
  if (then.startsWith('fallback')) return 'fallback';
  return then.startsWith('reduce') ? 'reduce_scope' : 'give_up';
}

/** The failure is not held for people any more: another attempt is owed, or nothing. */
export function decidedByPeople(state: RunState, attemptId: string, then: string): RunState {
  const before = state.path.retries.get(attemptId);
  if (before === undefined || before.settled || !isBlocking(before.decision)) return state;
  const { unknown, ...rest } = before;
  const decision = decisionOfPeople(then);
  const retried = goesOn(decision);
  const entry: RetryEntry = { ...rest, decision, notBefore: null, settled: !retried };
  const change = { blocked: -1, unknown: unknown === true ? -1 : 0, retriesOwed: retried ? 1 : 0 };
  const counts = count(state.path.counts, change);
  return { ...state, path: { ...state.path, retries: state.path.retries.set(attemptId, entry), counts } };
}

/** Whether another attempt of the step is owed: here as it is, or on the branch that is opened for it. */
export const goesOn = (decision: RetryEntry['decision']): boolean =>
  decision === 'retry' || decision === 'retry_modified' || decision === 'fallback';

export const isBlocking = (decision: RetryEntry['decision']): boolean => decision === 'block' || decision === 'escalate';

/** The failed attempt of a step that is still owed something: a decision, a next attempt, or an operator. */
export function unsettledRetry(state: RunState, step: string): [attemptId: string, entry: RetryEntry] | undefined {
  if (state.path.counts.retriesOwed + state.path.counts.blocked === 0) return undefined;
  for (const [attemptId, entry] of state.path.retries.entries()) {
    if (entry.step === step && !entry.settled) return [attemptId, entry];
  }
  return undefined;
}

function settleRetries(state: RunState, step: string): RunState {
  const found = unsettledRetry(state, step);
  if (found === undefined) return state;
  const [attemptId, entry] = found;
  const counts = count(
    state.path.counts,
    isBlocking(entry.decision) ? { blocked: -1, unknown: entry.unknown === true ? -1 : 0 } : { retriesOwed: -1 },
  );
  return { ...state, path: { ...state.path, retries: state.path.retries.set(attemptId, { ...entry, settled: true }), counts } };
}

/** Nobody knew what the failed attempt did, and now it is known that it did nothing: it is judged anew, as a failure like any other. */
function reopened(state: RunState, step: string): RunState {
  const [attemptId, entry] = unsettledRetry(state, step) ?? [];
  if (attemptId === undefined || entry === undefined || !isBlocking(entry.decision)) return state;
  const { unknown, ...rest } = entry;
  const counts = count(state.path.counts, { retriesOwed: 1, blocked: -1, unknown: unknown === true ? -1 : 0 });
  const retries = state.path.retries.set(attemptId, { ...rest, decision: null, notBefore: null });
  return { ...state, path: { ...state.path, retries, counts } };
}
