import { epochMsOf, nothing, rejected, type Decision } from '@cairn/kernel';
import { advance, startDueRetry } from '../advance.js';
import type { ApplyRetryDecision } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { isEffectUnknown } from '../effects/evolve.js';
import type { RunEvent } from '../events.js';
import { endRun } from '../lifecycle/end.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence } from '../state.js';

/** A retry is decided here and nowhere else; retry-policy judged it before. Final for its attempt: a second judgement changes nothing. */
export function applyRetryDecision(draft: Draft, command: ApplyRetryDecision): Decision<RunEvent, RunRejection> {
  const { step, attemptId, decision, notBefore } = command.data;
  const retry = draft.state.path.retries.get(attemptId);
  if (retry === undefined || retry.settled) return nothing('late');
  if (retry.decision !== null) return nothing('duplicate'); // The bus delivers at least once.
  if (retry.step !== step) return rejected({ code: 'decision_unsupported', detail: `attempt ${attemptId} is one of ${retry.step}` });

  switch (decision) {
    case 'retry': // Same parameters: same branch.
      draft.add({ type: 'RetryDecided', version: 1, data: command.data });
      if (notBefore === undefined || epochMsOf(notBefore) <= draft.context.now) startDueRetry(draft, attemptId);
      return concluded(draft);
    case 'escalate':
    case 'block':
    case 'give_up':
      draft.add({ type: 'RetryDecided', version: 1, data: command.data });
      settleFailure(draft, step, attemptId, decision, command.data.justification.rule);
      return concluded(draft);
    case 'retry_modified':
    case 'fallback':
    case 'reduce_scope':
      return rejected({ code: 'decision_unsupported', detail: `${decision} opens a branch, which this release does not` });
  }
}

/**
 * A final failure of an optional step counts as skipped, unless nobody knows what its effect did: that is never passed over in silence
 * unless the policy gives it up. Otherwise giving up ends the run, and a block waits for an operator, visibly.
 */
function settleFailure(draft: Draft, step: string, attemptId: string, decision: 'escalate' | 'block' | 'give_up', rule: string): void {
  const optional = draft.plan.step(parseOccurrence(step).step)?.optional === true;
  if (optional && (decision === 'give_up' || !isEffectUnknown(draft.state, step))) {
    draft.add({ type: 'StepSkipped', version: 1, data: { step, because: 'optional' } });
    advance(draft, [step]);
  } else if (decision === 'give_up') {
    const attempts = draft.state.path.steps.get(step)?.attempts ?? 0;
    endRun(draft, { type: 'RunGaveUp', version: 1, data: { step, attemptId, rule, numbers: { attempts } } });
  }
}
