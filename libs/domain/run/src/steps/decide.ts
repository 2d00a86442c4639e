import { canon, nothing, rejected, type Decision, type Json } from '@cairn/kernel';
import { advance } from '../advance.js';
import type { RecordLapse, RecordReply } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence } from '../state.js';
import type { LateResultRecorded } from './events.js';
import { failAttempt } from './start.js';

/**
 * A handler's reply. It counts only if its attempt is open here (I-10); an accepted reply that comes again writes nothing (W-4);
 * everything else is kept as late, once per attempt and reply id, and changes nothing.
 */
export function recordReply(draft: Draft, command: RecordReply): Decision<RunEvent, RunRejection> {
  const { attemptId, result } = command.data;
  const open = draft.state.path.attempts.get(attemptId);
  if (open === undefined) return recordLate(draft, command);

  if (result.kind === 'failed') {
    draft.add({ type: 'StepFailed', version: 1, data: { step: open.step, attemptId, failure: result.failure } });
    return concluded(draft);
  }
  const errors = draft.plan.step(parseOccurrence(open.step).step)?.validateOutput(result.output) ?? [];
  if (errors.length > 0) {
    failAttempt(draft, open.step, attemptId, 'invalid_output', `the output of ${open.step} breaks its schema`, errors as unknown as Json);
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
      ...(command.data.usage === undefined ? {} : { usage: command.data.usage }),
    },
  });
  advance(draft, [open.step]);
  return concluded(draft);
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
          ? { kind: 'failed', failure: result.failure }
          : { kind: 'succeeded', ...(result.outputRef === undefined ? { output: result.output } : { outputRef: result.outputRef }) },
      ...(usage === undefined ? {} : { usage }),
      because: draft.state.end === null ? 'attempt_closed' : 'run_ended',
    },
  };
  draft.add(late);
  return concluded(draft);
}

/** The lease of an attempt ran out. A lapse that comes after its reply changes nothing. */
export function recordLapse(draft: Draft, command: RecordLapse): Decision<RunEvent, RunRejection> {
  const { attemptId, by, message } = command.data;
  const open = draft.state.path.attempts.get(attemptId);
  if (open === undefined) return nothing('late');
  draft.add({
    type: 'StepFailed',
    version: 1,
    data: {
      step: open.step,
      attemptId,
      failure: { by, code: by === 'lease' ? 'handler_lost' : 'timeout', message, sideEffect: 'none' },
    },
  });
  return concluded(draft);
}
