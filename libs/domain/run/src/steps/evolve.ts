import { canon } from '@cairn/kernel';
import { failedOver } from '../effects/evolve.js';
import type { Envelope, RunEvent } from '../events.js';
import {
  parseOccurrence,
  type Counts,
  type Ledger,
  type Path,
  type RunState,
  type Spend,
  type StepEntry,
  type StepOutput,
} from '../state.js';
import type { ArtifactRef, Occurrence, Usage } from '../shared-fields.js';
import type { Json } from '@cairn/kernel';

/** Folds what steps leave in path and ledger. Sees every event, changes only steps, attempts, loops and spend. */
export function evolveSteps(state: RunState, event: RunEvent, envelope: Envelope): RunState {
  switch (event.type) {
    case 'StepStarted': {
      const { step, attempt, attemptId, queue, input, params, purpose, guidance, effect } = event.data;
      const path = state.path;
      const { step: base, turn } = parseOccurrence(step);
      const entry: StepEntry = {
        status: 'active',
        attempts: attempt,
        output: null,
        work: {
          queue,
          input,
          params,
          ...(purpose === undefined ? {} : { purpose }),
          ...(guidance === undefined ? {} : { guidance }),
          ...(effect === undefined ? {} : { effect }),
        },
      };
      return {
        ...state,
        path: {
          ...path,
          steps: path.steps.set(step, entry),
          attempts: path.attempts.set(attemptId, {
            step,
            n: attempt,
            taken: false,
            startedAt: envelope.at,
            startedBranch: state.branch,
            startedRevision: envelope.revision,
          }),
          loops: turn === 0 ? path.loops : path.loops.set(base, turn),
          counts: count(path.counts, attempt === 1 ? { firstAttempts: 1 } : { laterAttempts: 1 }),
        },
        ledger: {
          ...state.ledger,
          spend: spent(spent(state.ledger, step, { attempts: 1 }), '', { attempts: 1 }),
          // An operator may have asked for it, who asks twice.
          ...(effect === undefined ? {} : { controls: [...state.ledger.controls, envelope.causationId] }),
        },
      };
    }
    case 'StepSucceeded': {
      // A reply's append is caused by the reply: its id is the causation.
      const { step, attemptId, usage } = event.data;
      return withUsage(succeed(state, attemptId, envelope.causationId, outputOf(event.data)), step, usage);
    }
    case 'AttemptTaken': {
      const { attemptId, nonce } = event.data;
      const attempt = state.path.attempts.get(attemptId);
      if (attempt === undefined) return state;
      const attempts = state.path.attempts.set(attemptId, { ...attempt, taken: true, nonce });
      return { ...state, path: { ...state.path, attempts } };
    }
    case 'StepFailed': {
      // A reply that the decider finds wanting is recorded all the same: sent again it writes nothing.
      const { by } = event.data.failure;
      const { step, attemptId, usage } = event.data;
      const closed = withUsage(close(state, attemptId, by === 'handler' || by === 'decider' ? envelope.causationId : null), step, usage);
      const entry = closed.path.steps.get(step);
      if (entry === undefined) return closed;
      return { ...closed, path: { ...closed.path, steps: closed.path.steps.set(step, { ...entry, status: 'failed' }) } };
    }
    case 'StepSkipped': {
      const { step, because } = event.data;
      const skipped = settle(state, step, 'skipped', null);
      return because === 'scope' ? { ...skipped, path: { ...skipped.path, scope: skipped.path.scope.set(step, true) } } : skipped;
    }
    case 'EffectConfirmed': {
      // Found out later: the step has succeeded all the same.
      const { by, step, receipt } = event.data;
      return by === 'reply' || failedOver(state, event.data) === undefined
        ? state
        : settle(state, step, 'succeeded', { value: receipt ?? null });
    }
    case 'EventEmitted':
      return settle(state, event.data.step, 'succeeded', { value: { eventId: event.data.eventId } });
    case 'LateResultRecorded': {
      const late = state.ledger.late.set(canon([event.data.attemptId, event.data.replyId]), true);
      return withUsage({ ...state, ledger: { ...state.ledger, late } }, event.data.step, event.data.usage);
    }
    default:
      return state;
  }
}

/** How a verdict says that so many attempts more may start than the definition allows. */
export const GRANT = 'grant:';

/** A step is settled: succeeded or skipped. Waits and emits settle without an attempt. */
export function settle(state: RunState, step: Occurrence, status: 'succeeded' | 'skipped', output: StepOutput | null): RunState {
  const attempts = state.path.steps.get(step)?.attempts ?? 0;
  const counts = output !== null && 'ref' in output ? count(state.path.counts, { refs: 1 }) : state.path.counts;
  return { ...state, path: { ...state.path, counts, steps: state.path.steps.set(step, { status, attempts, output }) } };
}

/** Whether a step is settled here. A loop is when its last turn is; a wait with a detour when that side step is. */
export function isSettled(state: RunState, step: string): boolean {
  const turns = state.path.loops.get(step);
  const entry = state.path.steps.get(turns === undefined ? step : `${step}#${turns}`);
  if (entry === undefined || (entry.status !== 'succeeded' && entry.status !== 'skipped')) return false;
  const detour = state.path.detours.get(step);
  return detour === undefined || isSettled(state, detour);
}

/** The entry that expressions read as `steps.<id>`: of a loop the last turn. */
export function entryOf(state: RunState, step: string): StepEntry | undefined {
  const turns = state.path.loops.get(step);
  return state.path.steps.get(turns === undefined ? step : `${step}#${turns}`) ?? state.path.steps.get(step);
}

export function outputOf(data: { readonly output?: Json; readonly outputRef?: ArtifactRef }): StepOutput {
  return data.outputRef === undefined ? { value: data.output ?? null } : { ref: data.outputRef };
}

export function count(counts: Counts, change: Partial<Counts>): Counts {
  return {
    firstAttempts: counts.firstAttempts + (change.firstAttempts ?? 0),
    laterAttempts: counts.laterAttempts + (change.laterAttempts ?? 0),
    retriesOwed: counts.retriesOwed + (change.retriesOwed ?? 0),
    blocked: counts.blocked + (change.blocked ?? 0),
    unknown: counts.unknown + (change.unknown ?? 0),
    openWaits: counts.openWaits + (change.openWaits ?? 0),
    openReviews: counts.openReviews + (change.openReviews ?? 0),
    escalatedReviews: counts.escalatedReviews + (change.escalatedReviews ?? 0),
    refs: counts.refs + (change.refs ?? 0),
  };
}

/** Closes the attempt and settles its step at once: this is what every step does. */
function succeed(state: RunState, attemptId: string, replyId: string, output: StepOutput): RunState {
  const { path } = state;
  const attempt = path.attempts.get(attemptId);
  if (attempt === undefined) return state;
  const { step, n } = attempt;
  const { firstAttempts, laterAttempts, refs } = path.counts;
  const counts: Counts = {
    ...path.counts,
    firstAttempts: n === 1 ? firstAttempts - 1 : firstAttempts,
    laterAttempts: n === 1 ? laterAttempts : laterAttempts - 1,
    refs: 'ref' in output ? refs + 1 : refs,
  };
  const entry: StepEntry = { status: 'succeeded', attempts: path.steps.get(step)?.attempts ?? n, output };
  return {
    ...state,
    path: {
      ...path,
      steps: path.steps.set(step, entry),
      attempts: path.attempts.delete(attemptId),
      closed: path.closed.set(attemptId, { step, replyId }),
      counts,
    },
  };
}

function close(state: RunState, attemptId: string, replyId: string | null): RunState {
  const attempt = state.path.attempts.get(attemptId);
  if (attempt === undefined) return state;
  const path: Path = {
    ...state.path,
    attempts: state.path.attempts.delete(attemptId),
    closed: state.path.closed.set(attemptId, { step: attempt.step, replyId }),
    counts: count(state.path.counts, attempt.n === 1 ? { firstAttempts: -1 } : { laterAttempts: -1 }),
  };
  return { ...state, path };
}

function withUsage(state: RunState, step: Occurrence, usage: Usage | undefined): RunState {
  if (usage === undefined) return state;
  const change = { usd: usage.usd ?? 0, tokensIn: usage.tokensIn ?? 0, tokensOut: usage.tokensOut ?? 0 };
  return { ...state, ledger: { ...state.ledger, spend: spent(spent(state.ledger, step, change), '', change) } };
}

export const NOTHING_SPENT: Spend = { attempts: 0, usd: 0, tokensIn: 0, tokensOut: 0 };

function spent(from: Ledger | Ledger['spend'], step: string, change: Partial<Spend>): Ledger['spend'] {
  const spend = 'spend' in from ? from.spend : from;
  const before = spend.get(step) ?? NOTHING_SPENT;
  return spend.set(step, {
    attempts: before.attempts + (change.attempts ?? 0),
    usd: before.usd + (change.usd ?? 0),
    tokensIn: before.tokensIn + (change.tokensIn ?? 0),
    tokensOut: before.tokensOut + (change.tokensOut ?? 0),
  });
}
