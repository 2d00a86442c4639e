import { CEL_VERSION, type PlannedStep, type PlannedTrigger, type PlannedWait } from '@cairn/domain-definition';
import { instantOf, parseRfc3339, type Instant } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import type { ReceivedEvent } from '../state.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import { isEnough, triggersGot, waitIdOf } from './evolve.js';
import type { ContinuationContract, StoredTrigger, WaitOpened } from './events.js';

/** A wait that cannot be opened as written: an expression of it has no answer. */
export interface WaitProblem {
  readonly problem: string;
}

/**
 * Opens a wait: its checkpoint and `WaitOpened`, in one append (C-WAITCKPT, I-18). Keys are evaluated and instants absolute from
 * here on, so nobody who serves the wait needs the definition.
 */
export function openWait(draft: Draft, step: PlannedStep, wait: PlannedWait): WaitProblem | undefined {
  const scope = draft.scope(step.stepRefs);
  const now = draft.context.now;

  const triggers: StoredTrigger[] = [];
  for (const planned of wait.triggers) {
    const trigger = storedTrigger(planned, now, scope);
    if ('problem' in trigger) return trigger;
    triggers.push(trigger);
  }

  let deadline: Instant | null = null;
  if (wait.deadline !== null) {
    if (wait.deadline.kind === 'after') deadline = instantOf(now + wait.deadline.ms);
    else {
      const at = instantFrom(wait.deadline.at.evaluate(scope), now);
      if ('problem' in at) return at;
      deadline = at.instant;
    }
  }

  const restores = `${step.id}.wait`;
  const goal = draft.state.started?.goal ?? null;
  reachCheckpoint(draft, {
    name: restores,
    kind: 'wait',
    step: step.id,
    claim: { says: `everything before ${step.id} that it depends on is complete`, artifacts: [] },
  });
  const data: WaitOpened['data'] = {
    waitId: waitIdOf(draft.state, step.id),
    step: step.id,
    mode: wait.mode,
    k: wait.k,
    triggers,
    deadline,
    ...(deadline === null ? { noDeadline: { because: reasonForNone(wait), by: 'definition' } } : {}),
    onDeadline: wait.onDeadline,
    staleAt: wait.staleAfterMs === null ? null : instantOf(now + wait.staleAfterMs),
    lookBack: wait.lookBack,
    keepOpen: wait.keepOpen,
    ...(wait.guard === undefined ? {} : { guard: wait.guard.source }),
    assumptions: [],
    restores,
    cel: CEL_VERSION,
    contract: contractOf(goal, draft.state.branch, wait, triggers, deadline),
  };
  draft.add({ type: 'WaitOpened', version: 1, data });
  takeCarried(draft, step.id);
  return undefined;
}

/**
 * Events that came for this wait after the fork count for it here, in the append that opens it or lets the branch begin; they are used up
 * for every other branch (`architecture.md` §4.6). What is enough satisfies it; what follows from that is the caller's to start.
 */
export function takeCarried(draft: Draft, step: string): void {
  const waitId = waitIdOf(draft.state, step);
  const carried = [...draft.state.path.carried.values()].filter((one) => one.step === step).sort(byArrival);
  for (const { trigger, eventId, event, at, data } of carried) {
    draft.add({
      type: 'WaitTriggered',
      version: 1,
      data: {
        waitId,
        step,
        trigger,
        eventId,
        ...event,
        kept: true,
        at,
        ...('value' in data ? { data: data.value } : { dataRef: data.ref }),
      },
    });
  }
  const wait = draft.state.path.waits.get(waitId);
  if (carried.length === 0 || wait?.open !== true || wait.opened.keepOpen || !isEnough(wait)) return;
  draft.add({ type: 'WaitSatisfied', version: 1, data: { waitId, step, triggers: triggersGot(wait) } });
}

const byArrival = (a: ReceivedEvent, b: ReceivedEvent): number => (a.at < b.at || (a.at === b.at && a.eventId < b.eventId) ? -1 : 1);

/** No deadline is never left unsaid (I-22), also where a definition that is not of class `long` was only warned about it. */
function reasonForNone(wait: PlannedWait): string {
  if (wait.noDeadline !== undefined) return wait.noDeadline.because;
  return wait.triggers.every(({ kind }) => kind === 'timer') ? 'its timers end it' : 'none is declared';
}

type TemplateScope = ReturnType<Draft['scope']>;

function storedTrigger(planned: PlannedTrigger, now: number, scope: TemplateScope): StoredTrigger | WaitProblem {
  switch (planned.kind) {
    case 'signal':
      return { kind: 'signal', name: planned.name, ...(planned.mayResume === undefined ? {} : { mayResume: planned.mayResume }) };
    case 'callback':
      return { kind: 'callback', name: planned.name };
    case 'timer': {
      if (planned.at === undefined) return { kind: 'timer', at: instantOf(now + (planned.afterMs ?? 0)) };
      const at = instantFrom(planned.at.evaluate(scope), now);
      return 'problem' in at ? at : { kind: 'timer', at: at.instant };
    }
    case 'event': {
      const key = planned.key?.evaluate(scope);
      if (key !== undefined && !key.ok) return { problem: `key of ${planned.type}: ${key.error}` };
      if (key !== undefined && (typeof key.value !== 'string' || key.value === ''))
        return { problem: `key of ${planned.type}: not a text` };
      return {
        kind: 'event',
        type: planned.type,
        ...(key === undefined ? {} : { key: key.value as string }),
        ...(planned.where === undefined ? {} : { where: planned.where }),
        ...(planned.from === undefined ? {} : { from: planned.from }),
        ...(planned.mayResume === undefined ? {} : { mayResume: planned.mayResume }),
      };
    }
  }
}

/** Times further away than this are mistakes (B-20): five years. */
export const FAR_FUTURE_MS = 5 * 366 * 86_400_000;

/** A time from a template: RFC 3339 text. The past is allowed (it fires at once); beyond five years is not. */
function instantFrom(result: ReturnType<PlannedStep['input']['evaluate']>, now: number): { instant: Instant } | WaitProblem {
  if (!result.ok) return { problem: result.error };
  const ms = typeof result.value === 'string' ? parseRfc3339(result.value) : undefined;
  if (ms === undefined) return { problem: 'at: not an RFC 3339 time' };
  if (ms > now + FAR_FUTURE_MS) return { problem: 'at: more than five years ahead' };
  return { instant: instantOf(ms) };
}

/** The clauses that a resume must keep (C-CONTINUE). */
function contractOf(
  intent: string | null,
  branch: string,
  wait: PlannedWait,
  triggers: readonly StoredTrigger[],
  deadline: Instant | null,
): ContinuationContract {
  const clauses = [
    { id: 'head', says: `the run still acts on branch ${branch}` },
    { id: 'trigger', says: triggerSentence(wait, triggers) },
  ];
  const senders = triggers.flatMap((trigger) => [
    ...('from' in trigger ? (trigger.from ?? []) : []),
    ...('mayResume' in trigger ? (trigger.mayResume ?? []) : []),
  ]);
  if (senders.length > 0) clauses.push({ id: 'sender', says: `sent by ${senders.join(' or ')}` });
  if (wait.guard !== undefined) clauses.push({ id: 'guard', says: wait.guard.source });
  if (deadline !== null) clauses.push({ id: 'deadline', says: `before ${deadline}` });
  return { intent, branch, clauses };
}

function triggerSentence(wait: PlannedWait, triggers: readonly StoredTrigger[]): string {
  const names = triggers.map((trigger) => {
    switch (trigger.kind) {
      case 'event':
        return `${trigger.type}${trigger.key === undefined ? '' : ` with key ${trigger.key}`}${trigger.where === undefined ? '' : ` where ${trigger.where}`}`;
      case 'signal':
        return `signal ${trigger.name}`;
      case 'callback':
        return `callback ${trigger.name}`;
      case 'timer':
        return `the time ${trigger.at}`;
    }
  });
  const how = wait.mode === 'any' ? 'any of' : wait.mode === 'all' ? 'all of' : `at least ${wait.k} of`;
  return names.length === 1 ? (names[0] ?? '') : `${how}: ${names.join('; ')}`;
}
