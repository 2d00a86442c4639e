import { eventScope, matchTrigger, type InboundEvent } from '@cairn/domain-definition';
import { CLOCK_SKEW_MS, epochMsOf, idOf, nothing, rejected, type Decision } from '@cairn/kernel';
import { advance, goOn, startDueRetry } from '../advance.js';
import type { ExpireWait, MarkStale, WakeRun, WakingEvent } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import { endRun, failRun } from '../lifecycle/end.js';
import type { RunRejection } from '../rejections.js';
import { parseOccurrence, type WaitEntry } from '../state.js';
import type { OnDeadline, WaitTriggered } from './events.js';
import { isEnough, triggersGot, usedKey } from './evolve.js';
import { takeCarried } from './open.js';

type Outcome = Decision<RunEvent, RunRejection>;

/** A wait is satisfied here and nowhere else: by an event, a signal or a timer. A retry's time is another kind of wake. */
export function wakeRun(draft: Draft, command: WakeRun): Outcome {
  const wake = command.data;
  if (wake.kind === 'retry') {
    const outcome = startDueRetry(draft, wake.attemptId);
    if (outcome === 'started') return concluded(draft);
    if (outcome === 'paused') return nothing(isDueForAll(draft, wake.attemptId) ? 'late' : 'early');
    return nothing(outcome === 'early' ? 'early' : 'late');
  }
  if (wake.kind === 'branch') {
    if (wake.branch !== draft.state.branch) return nothing('late');
    if (draft.state.path.paused) return nothing('early'); // It goes on when the run does.
    goOn(draft);
    return concluded(draft);
  }
  takeCarriedFirst(draft, wake.waitId);
  const wait = draft.state.path.waits.get(wake.waitId);
  if (wait === undefined) return waitNotFound(wake.waitId);
  if (!wait.open) return nothing('late');
  return wake.kind === 'timer' ? wakeByTimer(draft, wake.waitId, wait, wake.trigger) : wakeByEvent(draft, wake.waitId, wait, wake.event);
}

/**
 * What a branch carries for an open wait came earlier than whatever comes now, also where nobody has told the branch to begin yet: else both
 * might count for the same trigger. Where that alone is enough, the branch begins with it, and what comes now is judged as the wait stands.
 */
function takeCarriedFirst(draft: Draft, waitId: string): void {
  const wait = draft.state.path.waits.get(waitId);
  if (wait?.open !== true) return;
  const carried = [...draft.state.path.carried.values()].filter(({ step }) => step === wait.step);
  if (carried.length > 0 && !isEnough({ ...wait, got: [...wait.got, ...carried] })) takeCarried(draft, wait.step);
}

/**
 * Whether a retry is due by every clock that may decide. A paused run starts it when it goes on, so the ring has then done its work;
 * before that the one who lets it go on may find it early, and somebody has to ring again.
 */
function isDueForAll({ state, context }: Draft, attemptId: string): boolean {
  const notBefore = state.path.retries.get(attemptId)?.notBefore ?? null;
  return notBefore === null || epochMsOf(notBefore) + CLOCK_SKEW_MS <= context.now;
}

/** Due-ness is judged by execution's clock alone (I-21): a ring that comes early changes nothing. */
function wakeByTimer(draft: Draft, waitId: string, wait: WaitEntry, index: number): Outcome {
  const trigger = wait.opened.triggers[index];
  if (trigger?.kind !== 'timer') return rejected({ code: 'trigger_not_found', detail: `trigger ${index} of ${wait.step} is no timer` });
  if (epochMsOf(trigger.at) > draft.context.now) return nothing('early');
  if (triggersGot(wait).includes(index)) return nothing('duplicate');
  return take(draft, waitId, {
    waitId,
    step: wait.step,
    trigger: index,
    eventId: idOf('timer', waitId, index),
    kept: false,
    at: draft.at,
    data: null,
  });
}

/**
 * The event counts for the first trigger that it matches and that still misses something. Matching is done again here: whoever
 * asked may have been wrong, and an event that does not fit must not wake anything.
 */
function wakeByEvent(draft: Draft, waitId: string, wait: WaitEntry, event: WakingEvent): Outcome {
  if (draft.state.ledger.used.has(usedKey(wait.step, event.receiptId))) return nothing('duplicate');
  const inbound: InboundEvent = {
    receiptId: event.receiptId,
    source: event.source,
    id: event.id,
    type: event.type,
    ...(event.key === undefined ? {} : { key: event.key }),
    ...(event.time === undefined ? {} : { time: event.time }),
    ...(event.callback?.waitId === waitId ? { callback: event.callback } : {}), // A link is for one wait.
    data: event.loaded ?? event.data ?? null,
    extensions: event.extensions ?? {},
  };
  const got = triggersGot(wait);
  const fitting = wait.opened.triggers.flatMap((trigger, index) =>
    trigger.kind !== 'timer' && matchTrigger(trigger, inbound).kind === 'match' ? [index] : [],
  );
  if (fitting.length === 0) return nothing('no_match');
  const index = fitting.find((candidate) => wait.opened.keepOpen || !got.includes(candidate));
  if (index === undefined) return nothing('unchanged'); // Each of its triggers has what it wanted; the event is not used up.

  const broken = brokenGuard(draft, wait, inbound);
  if (broken !== undefined) return rejected(broken);
  return take(draft, waitId, {
    waitId,
    step: wait.step,
    trigger: index,
    eventId: event.receiptId,
    source: event.source,
    id: event.id,
    type: event.type,
    kept: event.kept,
    at: event.at,
    ...(event.dataRef === undefined ? { data: event.data ?? null } : { dataRef: event.dataRef }),
  });
}

/** The guard is false at this wake: a near miss, the wait stays open. */
export function brokenGuard(draft: Draft, wait: WaitEntry, event: InboundEvent): RunRejection | undefined {
  const guard = draft.plan.step(parseOccurrence(wait.step).step)?.wait?.guard;
  if (guard === undefined) return undefined;
  const verdict = guard.evaluate(draft.scope(guard.stepRefs, { event: eventScope(event) }));
  if (verdict.ok && verdict.value) return undefined;
  return {
    code: 'clause_broken',
    detail: `the guard of ${wait.step} does not hold`,
    clause: 'guard',
    expected: guard.source,
    got: verdict.ok ? false : verdict.error,
  };
}

function take(draft: Draft, waitId: string, data: WaitTriggered['data']): Outcome {
  draft.add({ type: 'WaitTriggered', version: 1, data });
  const wait = draft.state.path.waits.get(waitId);
  if (wait !== undefined && !wait.opened.keepOpen && isEnough(wait)) satisfyWait(draft, waitId, wait);
  return concluded(draft);
}

/** The combination holds: the wait is closed, and what follows it begins. */
export function satisfyWait(draft: Draft, waitId: string, wait: WaitEntry): void {
  draft.add({ type: 'WaitSatisfied', version: 1, data: { waitId, step: wait.step, triggers: triggersGot(wait) } });
  advance(draft, [wait.step]);
}

/** The deadline has passed by execution's clock: what the definition declared happens. A wait that collects may be satisfied now. */
export function expireWait(draft: Draft, command: ExpireWait): Outcome {
  const { waitId } = command.data;
  const wait = draft.state.path.waits.get(waitId);
  if (wait === undefined) return waitNotFound(waitId);
  if (!wait.open) return nothing('late');
  const { deadline, onDeadline } = wait.opened;
  if (deadline === null) return nothing('no_match');
  if (epochMsOf(deadline) > draft.context.now) return nothing('early');
  if (wait.opened.keepOpen && isEnough(wait)) {
    satisfyWait(draft, waitId, wait);
    return concluded(draft);
  }
  const then: OnDeadline = onDeadline ?? { fail: 'timeout' };
  draft.add({ type: 'WaitExpired', version: 1, data: { waitId, step: wait.step, then } });
  follow(draft, wait, then);
  return concluded(draft);
}

function follow(draft: Draft, wait: WaitEntry, then: OnDeadline): void {
  const { step } = wait;
  if ('value' in then || 'step' in then) return advance(draft, [step], 'step' in then ? [then.step] : []);
  if (draft.plan.step(parseOccurrence(step).step)?.optional === true) {
    draft.add({ type: 'StepSkipped', version: 1, data: { step, because: 'optional' } });
    return advance(draft, [step]);
  }
  if ('fail' in then) return failRun(draft, step, then.fail, `${step}: nothing came before ${wait.opened.deadline}`);
  endRun(draft, {
    type: 'RunGaveUp',
    version: 1,
    data: { step, rule: 'on_deadline', numbers: { deadline: wait.opened.deadline, triggersGot: triggersGot(wait).length } },
  });
}

/** The wait is older than its definition trusts what it knew when it opened. It stays open. */
export function markStale(draft: Draft, command: MarkStale): Outcome {
  const wait = draft.state.path.waits.get(command.data.waitId);
  if (wait === undefined) return waitNotFound(command.data.waitId);
  if (!wait.open) return nothing('late');
  if (wait.opened.staleAt === null) return nothing('no_match');
  if (wait.stale !== null) return nothing('duplicate');
  if (epochMsOf(wait.opened.staleAt) > draft.context.now) return nothing('early');
  const { step } = wait;
  const asks = draft.plan.step(parseOccurrence(step).step)?.wait?.staleReview;
  draft.add({
    type: 'WaitStale',
    version: 1,
    data: { waitId: command.data.waitId, step, because: 'age', ...(asks === undefined ? {} : { asks }) },
  });
  if (asks !== undefined) advance(draft, [], [asks]); // A paused run asks when it goes on.
  return concluded(draft);
}

const waitNotFound = (waitId: string): Outcome => rejected({ code: 'wait_not_found', detail: `no wait ${waitId} in this run` });
