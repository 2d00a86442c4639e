import { canon, nothing, rejected, type Decision, type Json } from '@cairn/kernel';
import { advance } from '../advance.js';
import type { RecordLapse, RecordReply, ReportedFailure, TakeAttempt } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { reconcileAtOnce } from '../effects/parts.js';
import { recordPart } from '../effects/record-part.js';
import { closeIntent, confirmEffect, intentOfAttempt, type Intended } from '../effects/settle.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import type { Failure, SideEffect } from '../shared-fields.js';
import { parseOccurrence, type RunState } from '../state.js';
import type { LateResultRecorded } from './events.js';
import { failAttempt } from './start.js';

/**
 * A handler's reply. It counts only if its attempt is open here (I-10); an accepted reply that comes again writes nothing (W-4);
 * everything else is kept as late, once per attempt and reply id, and changes nothing.
 */
export function recordReply(draft: Draft, command: RecordReply): Decision<RunEvent, RunRejection> {
  const { attemptId, result, usage, shared } = command.data;
  const open = draft.state.path.attempts.get(attemptId);
  if (open === undefined) return recordLate(draft, command);
  if (parseOccurrence(open.step).part !== undefined) return recordPart(draft, command, open);
  const intended = intentOfAttempt(draft.state, attemptId);

  if (result.kind === 'failed') {
    const others = shared === true && intended !== undefined && !isClaimed(draft.state, intended);
    const failure = judgedFailure(result.failure, intended !== undefined, others);
    const data = { step: open.step, attemptId, failure, ...(usage === undefined ? {} : { usage }) };
    draft.add({ type: 'StepFailed', version: 1, data });
    if (intended !== undefined) closeAndAsk(draft, intended, failure.sideEffect, becauseOf(result.failure, failure));
    return concluded(draft);
  }
  const step = draft.plan.step(parseOccurrence(open.step).step);
  const errors = step?.validateOutput(result.output) ?? [];
  if (errors.length > 0) {
    // The handler says that it is done, so an effect has been applied; only what it answered is not to be believed.
    const sideEffect = intended === undefined ? 'none' : 'applied';
    const message = `the output of ${open.step} breaks its schema`;
    failAttempt(draft, {
      step: open.step,
      attemptId,
      // What a model chose wrongly it may choose rightly the next time; what code gives wrongly it gives again.
      code: step?.choices === undefined ? 'invalid_output' : 'model_output_invalid',
      message,
      errors: errors as unknown as Json,
      sideEffect,
      ...(usage === undefined ? {} : { usage }),
    });
    if (intended !== undefined) closeAndAsk(draft, intended, sideEffect, 'its output breaks the schema');
    return concluded(draft);
  }
  draft.add({
    type: 'StepSucceeded',
    version: 1,
    data: {
      // In the order of canonical keys, as in `startAttempt`.
      attemptId,
      ...(result.evidence === undefined ? {} : { evidence: result.evidence }),
      ...(result.outputRef === undefined ? { output: result.output } : { outputRef: result.outputRef }),
      step: open.step,
      ...(result.uncertainty === undefined ? {} : { uncertainty: result.uncertainty }),
      ...(usage === undefined ? {} : { usage }),
    },
  });
  if (intended !== undefined) confirmEffect(draft, intended);
  advance(draft, [open.step]);
  return concluded(draft);
}

/** The attempt is over; where it is unknown what it did, who can find out is asked before anything else. */
function closeAndAsk(draft: Draft, intended: Intended, sideEffect: SideEffect, because: string): void {
  closeIntent(draft, intended, sideEffect, because);
  reconcileAtOnce(draft, intended.key);
}

/**
 * What a handler does not say of the world outside: a task leaves nothing there, of an effect nobody knows (`capabilities.md` §4). And he
 * speaks for himself: that nothing happened is not known where another may have acted under the same attempt.
 */
function judgedFailure(failure: ReportedFailure, isEffect: boolean, others: boolean): Failure {
  const said = failure.sideEffect ?? (isEffect ? 'unknown' : 'none');
  return { ...failure, sideEffect: isEffect && others && said === 'none' ? 'unknown' : said };
}

function becauseOf(said: ReportedFailure, judged: Failure): string {
  if (said.sideEffect === undefined) return 'the handler did not say';
  return said.sideEffect === judged.sideEffect ? 'the handler said so' : 'another handler may have had it, too';
}

function recordLate(draft: Draft, command: RecordReply): Decision<RunEvent, RunRejection> {
  const { attemptId, replyId, result, usage } = command.data;
  const closed = draft.state.path.closed.get(attemptId);
  if (closed === undefined) return rejected({ code: 'attempt_not_found', detail: `no attempt ${attemptId} in this run` });
  if (closed.replyId === replyId) return nothing('duplicate');
  if (draft.state.ledger.late.has(canon([attemptId, replyId]))) return nothing('late');
  const late: LateResultRecorded = {
    type: 'LateResultRecorded',
    version: 1,
    data: {
      step: closed.step,
      attemptId,
      replyId,
      reply:
        result.kind === 'failed'
          ? { kind: 'failed', failure: judgedFailure(result.failure, isEffectStep(draft, closed.step), false) }
          : { kind: 'succeeded', ...(result.outputRef === undefined ? { output: result.output } : { outputRef: result.outputRef }) },
      ...(usage === undefined ? {} : { usage }),
      because: draft.state.end === null ? 'attempt_closed' : 'run_ended',
    },
  };
  draft.add(late);
  return concluded(draft);
}

const isEffectStep = (draft: Draft, occurrence: string): boolean => {
  const { step, part } = parseOccurrence(occurrence);
  return part === undefined && draft.plan.step(step)?.kind === 'effect';
};

/**
 * The lease of an attempt ran out. A lapse that comes after its reply changes nothing. An effect that had to be claimed and was not has
 * certainly not happened; any other may have (I-17).
 */
export function recordLapse(draft: Draft, command: RecordLapse): Decision<RunEvent, RunRejection> {
  const { attemptId, by, message } = command.data;
  const open = draft.state.path.attempts.get(attemptId);
  if (open === undefined) return nothing('late');
  const intended = intentOfAttempt(draft.state, attemptId);
  const sideEffect: SideEffect = intended === undefined || isUntouched(draft.state, intended) ? 'none' : 'unknown';
  const code = by === 'lease' ? 'handler_lost' : 'timeout';
  draft.add({ type: 'StepFailed', version: 1, data: { step: open.step, attemptId, failure: { by, code, message, sideEffect } } });
  if (intended !== undefined) closeAndAsk(draft, intended, sideEffect, sideEffect === 'none' ? 'the attempt was never granted' : code);
  return concluded(draft);
}

/** Whether only the one who was granted the attempt may act: it is with nobody else, whoever else was told of it. */
const isClaimed = (state: RunState, { key }: Intended): boolean => state.ledger.effects.get(key)?.guarantee !== 'idempotent';

const isUntouched = (state: RunState, intended: Intended): boolean => !intended.attempt.taken && isClaimed(state, intended);

/**
 * Grants an attempt, once for ever (`architecture.md` §4.2). The same nonce is granted again, since the answer may have been lost:
 * `nothing('duplicate')`. A paused run grants nothing yet: `nothing('early')`.
 */
export function takeAttempt(draft: Draft, command: TakeAttempt): Decision<RunEvent, RunRejection> {
  const { attemptId, handler, nonce } = command.data;
  const open = draft.state.path.attempts.get(attemptId);
  if (open === undefined) return nothing('late');
  if (open.taken)
    return open.nonce === nonce
      ? nothing('duplicate')
      : rejected({ code: 'attempt_taken', detail: `attempt ${attemptId} of ${open.step} is granted to another handler` });
  if (draft.state.path.paused) return nothing('early');
  draft.add({ type: 'AttemptTaken', version: 1, data: { step: open.step, attemptId, handler, nonce } });
  return concluded(draft);
}
