import type { JsonPatchOp, PlannedStep } from '@cairn/domain-definition';
import { epochMsOf, nothing, rejected, type Decision, type JsonObject } from '@cairn/kernel';
import { advance, startDueRetry } from '../advance.js';
import { changedWork } from '../branches/evolve.js';
import { supersedeByPolicy, type PolicyBranch } from '../branches/supersede.js';
import type { ApplyRetryDecision } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import { isEffectUnknown } from '../effects/evolve.js';
import { isUnderWay } from '../effects/parts.js';
import type { RunEvent } from '../events.js';
import { endRun } from '../lifecycle/end.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence, type RetryEntry } from '../state.js';

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
      if (isNeverAgain(draft, step)) return unsupported(`it is unknown whether the effect of ${step} happened: that is found out first`);
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
      const branch = branchFor(draft, retry, command);
      if ('refused' in branch) return unsupported(branch.refused);
      draft.add({ type: 'RetryDecided', version: 1, data: command.data });
      supersedeByPolicy(draft, branch);
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

/** Its target does not de-duplicate, and nobody knows whether it was called: another try is no retry (I-17). */
function isNeverAgain({ state }: Draft, step: string): boolean {
  const key = state.path.steps.get(step)?.work?.effect?.key;
  const entry = key === undefined || parseOccurrence(step).part !== undefined ? undefined : state.ledger.effects.get(key);
  return entry?.status === 'unknown' && entry.guarantee !== 'idempotent';
}

/** The branch that a decision opens, or why it cannot: what it names must be declared, and must fit the step's work. */
function branchFor(draft: Draft, retry: RetryEntry, { data }: ApplyRetryDecision): PolicyBranch | { readonly refused: string } {
  const { step: occurrence, decision } = data;
  const { step: id, part } = parseOccurrence(occurrence);
  if (part !== undefined)
    return { refused: `${occurrence} asks about an effect as it is: it has no alternative and is given nothing else` };
  const step = draft.plan.step(id);
  if (step === undefined) return { refused: `there is no step ${id}` };
  const told = {
    reason: reasonOf(retry, data),
    evidence: [`${retry.failedBranch}@${retry.failedRevision}`],
  };
  if (decision === 'reduce_scope') {
    const path = draft.plan.reduced.find((one) => one.id === data.change?.['reduce']);
    if (path === undefined || draft.state.path.reduced.includes(path.id)) return { refused: `no reduced path is left as ${change(data)}` };
    const inDoubt = path.drops.find((id) => isInDoubt(draft, id));
    if (inDoubt !== undefined) return { refused: `reduced path ${path.id} drops ${inDoubt}, and it is open whether its effect happens` };
    const changes: JsonPatchOp[] = [{ op: 'add', path: '/scope', value: path.id }];
    return { ...told, cause: 'reduced_scope', changes, dropped: new Set(path.drops) };
  }
  const ops = decision === 'fallback' ? fallbackOps(draft, step, occurrence, data.change) : patchOps(data.change);
  if ('refused' in ops) return ops;
  const { work } = draft.state.path.steps.get(occurrence) ?? {};
  const { problem } = work === undefined ? { problem: 'the step has no work' } : changedWork(work, ops);
  if (problem !== undefined) return { refused: `${change(data)}: ${problem}` };
  const changes = ops.map((op) => ({ ...op, path: `/steps/${id}${op.path}` }));
  return { ...told, cause: decision === 'fallback' ? 'fallback' : 'retry_modified', changes };
}

/** An effect of the step is under way, or nobody knows what it did: it is never left behind in silence (I-17). */
const isInDoubt = ({ state }: Draft, step: string): boolean =>
  [...state.ledger.effects.values()].some(
    (effect) => effect.step === step && (effect.status === 'intended' || effect.status === 'unknown'),
  );

const change = ({ change: told }: ApplyRetryDecision['data']): string => JSON.stringify(told ?? null);

/** How it failed, and who says what follows: for people. */
function reasonOf({ message, n }: RetryEntry, { step, bucket, policy }: ApplyRetryDecision['data']): string {
  return `${step} failed at attempt ${n} with ${bucket} (${message}); ${policy.name}@${policy.version} decided`;
}

function fallbackOps(
  draft: Draft,
  step: PlannedStep,
  occurrence: string,
  told: JsonObject | undefined,
): readonly JsonPatchOp[] | { readonly refused: string } {
  const index = told?.['fallback'];
  const alternative = typeof index === 'number' ? step.fallback[index] : undefined;
  if (alternative === undefined) return { refused: `step ${step.id} declares no alternative ${JSON.stringify(index ?? null)}` };
  const ops: JsonPatchOp[] = [{ op: 'replace', path: '/queue', value: alternative.queue }];
  if (alternative.params === undefined) return ops;
  const { turn } = parseOccurrence(occurrence);
  const params = alternative.params.evaluate(draft.scope(step.stepRefs, turn === 0 ? {} : { turn }));
  if (!params.ok) return { refused: `fallback/${index as number}/params: ${params.error}` };
  return [...ops, { op: 'replace', path: '/params', value: params.value }];
}

function patchOps(told: JsonObject | undefined): readonly JsonPatchOp[] | { readonly refused: string } {
  const patch = told?.['patch'];
  return Array.isArray(patch) ? (patch as unknown as readonly JsonPatchOp[]) : { refused: 'a modified retry names its patch' };
}

/**
 * A final failure of an optional step counts as skipped, unless nobody knows what its effect did: that is never passed over in silence
 * unless the policy gives it up. Otherwise giving up ends the run, and a block waits for an operator, visibly.
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
  }
}
