import { epochMsOf, nothing, rejected, type Decision } from '@cairn/kernel';
import { advance, startDueRetry } from '../advance.js';
import { mayBranch } from '../branches/evolve.js';
import { supersedeByPolicy } from '../branches/supersede.js';
import type { ApplyRetryDecision } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { isEffectUnknown } from '../effects/evolve.js';
import { isUnderWay } from '../effects/parts.js';
import type { RunEvent } from '../events.js';
import { endRun } from '../lifecycle/end.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence, type RetryEntry } from '../state.js';
import { askAboutBudget, askAboutFailure } from './people.js';
import { branchOf } from './ways.js';

/** A retry is decided here and nowhere else; retry-policy judged it before. Final for its attempt: a second judgement changes nothing. */
export function applyRetryDecision(draft: Draft, command: ApplyRetryDecision): Decision<RunEvent, RunRejection> {
  const { step, attemptId, decision, notBefore } = command.data;
  const retry = draft.state.path.retries.get(attemptId);
  if (retry === undefined || retry.settled) return nothing('late');
  if (retry.decision !== null) return nothing('duplicate'); // The bus delivers at least once.
  if (retry.step !== step) return unsupported(`attempt ${attemptId} is one of ${retry.step}`);
  if (isEarly(draft, command)) return nothing('early');
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
    case 'reduce_scope': {
      // Something changes: recovery opens a branch.
      const { change } = command.data;
      const told = { reason: reasonOf(retry, command.data), evidence: [`${retry.failedBranch}@${retry.failedRevision}`] };
      const branch = branchOf(draft, step, { decision, ...(change === undefined ? {} : { change }) }, told);
      if ('refused' in branch) return unsupported(branch.refused);
      const may = mayBranch(draft.state);
      draft.add({ type: 'RetryDecided', version: 1, data: command.data });
      if (may) supersedeByPolicy(draft, branch);
      else askAboutBudget(draft, attemptId, { decision, change: change ?? null });
      return concluded(draft);
    }
  }
}

const unsupported = (detail: string): Decision<RunEvent, RunRejection> => rejected({ code: 'decision_unsupported', detail });

/**
 * What the attempt did is being found out, or has been since it was judged: reconcile first (`capabilities.md` §3.5), then judge by that. A
 * paused run asks when it goes on.
 */
function isEarly({ state, plan }: Draft, { data: { step, bucket } }: ApplyRetryDecision): boolean {
  const key = state.path.steps.get(step)?.work?.effect?.key;
  const entry = key === undefined || parseOccurrence(step).part !== undefined ? undefined : state.ledger.effects.get(key);
  if (entry?.status === 'absent') return bucket === 'effect_unknown';
  if (entry?.status !== 'unknown' || entry.guarantee !== 'reconcile') return false;
  return isUnderWay(state, step, 'reconcile') || (state.path.paused && plan.step(step)?.effect?.reconcile !== undefined);
}

/** How it failed, and who says what follows: for people. */
function reasonOf({ message, n }: RetryEntry, { step, bucket, policy }: ApplyRetryDecision['data']): string {
  return `${step} failed at attempt ${n} with ${bucket} (${message}); ${policy.name}@${policy.version} decided`;
}

/**
 * A final failure of an optional step counts as skipped, unless nobody knows what its effect did: that is never passed over in silence
 * unless the policy gives it up. Otherwise giving up ends the run, a block waits for an operator, visibly, and an escalation asks people in
 * this very append: exactly one review for each of them (C-REVIEWTRIG).
 */
function settleFailure(draft: Draft, step: string, attemptId: string, decision: 'escalate' | 'block' | 'give_up', rule: string): void {
  const { step: id, part } = parseOccurrence(step);
  const optional = part === undefined && draft.plan.step(id)?.optional === true;
  if (optional && (decision === 'give_up' || !isEffectUnknown(draft.state, step))) {
    draft.add({ type: 'StepSkipped', version: 1, data: { step, because: 'optional' } });
    advance(draft, [step]);
  } else if (decision === 'give_up') {
    const attempts = draft.state.path.steps.get(step)?.attempts ?? 0;
    endRun(draft, { type: 'RunGaveUp', version: 1, data: { step, attemptId, rule, numbers: { attempts } } });
  } else if (decision === 'escalate') {
    askAboutFailure(draft, attemptId);
  }
}
