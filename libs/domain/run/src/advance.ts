import type { PlannedStep } from '@cairn/domain-definition';
import { epochMsOf, idOf } from '@cairn/kernel';
import type { Draft } from './draft.js';
import { asChanged } from './branches/rules.js';
import { endShadowIfIdle, stubStep } from './branches/shadow.js';
import { isHeldByChoice, reusedBy, startEffect, startEffectAgain } from './effects/intend.js';
import { compensateChosen, reconcileOwed } from './effects/parts.js';
import { emitEvent } from './lifecycle/emit.js';
import { endRun, failRun } from './lifecycle/end.js';
import { reachCheckpoint } from './recovery/checkpoint.js';
import { goesOn, unsettledRetry } from './recovery/evolve.js';
import { isOpenReview, reviewsOf } from './reviews/evolve.js';
import { gateOf, type Gate } from './reviews/gate.js';
import { carryVerdict } from './reviews/carry.js';
import { requestReview } from './reviews/request.js';
import { isSettled } from './steps/evolve.js';
import { askAboutTurn, occurrencesMax } from './steps/ask-about-turn.js';
import { DEFINITION_ERROR, failAttempt, startAttempt, startTask } from './steps/start.js';
import { outputDigest } from './state-digest.js';
import { parseOccurrence, type RunState, type StepEntry } from './state.js';
import { waitIdOf } from './waits/evolve.js';
import { openWait, takeCarried } from './waits/open.js';

/**
 * What follows from the state alone once `settled` occurrences are done: stage checkpoints, next turns of loops, skips, next steps,
 * waits, emits, and the end. Bounded: every round settles or starts at least one step that nothing else will start again.
 *
 * `named`: side steps that something calls by name.
 *
 * A paused run starts nothing: the fold remembers what was settled, and `UnpauseRun` comes here again.
 *
 * Looking only at dependents of what was just settled keeps a step of a 500-step definition as cheap as one of a 5-step one.
 */
export function advance(draft: Draft, settled: readonly string[], named: readonly string[] = []): void {
  if (draft.state.path.paused) return;
  const ready = new Set<PlannedStep>(named.flatMap((id) => draft.plan.step(id) ?? []).filter((step) => isReady(draft, step)));
  for (const occurrence of settled) afterSettling(draft, occurrence, ready);
  start(draft, ready);
  endIfDone(draft);
}

/** A step that will not start: somebody decided so. Who calls goes on with what follows from it. */
export function settleSkipped(draft: Draft, step: string, because: 'when' | 'optional' | 'scope'): void {
  draft.add({ type: 'StepSkipped', version: 1, data: { step, because } });
}

/** The beginning: everything that waits for nothing. Looks at every step once. */
export function begin(draft: Draft): void {
  start(draft, new Set(draft.plan.steps.filter((step) => isReady(draft, step))));
  endIfDone(draft);
}

/** Starts the attempt that a decided retry owes, if its time has come. */
export function startDueRetry(draft: Draft, attemptId: string): 'started' | 'early' | 'paused' | 'settled' {
  const retry = draft.state.path.retries.get(attemptId);
  if (retry === undefined || retry.settled || !goesOn(retry.decision)) return 'settled';
  if (retry.notBefore !== null && epochMsOf(retry.notBefore) > draft.context.now) return 'early';
  if (draft.state.path.paused) return 'paused';
  const work = draft.state.path.steps.get(retry.step)?.work;
  if (work === undefined) return 'settled';
  const { step: id, part } = parseOccurrence(retry.step);
  if (part !== undefined) {
    startAttempt(draft, retry.step, work);
    return 'started';
  }
  const step = draft.plan.step(id);
  const gate = step === undefined || step.guardedBy.length === 0 ? undefined : gateOf(draft, step);
  if (gate?.kind === 'held') return 'settled'; // Whoever answers the review comes here again.
  if (gate?.kind === 'ask') {
    ask(draft, gate);
    return 'started';
  }
  const given = gate === undefined ? work : { ...work, input: gate.edit(work.input) };
  if (step?.effect === undefined) startAttempt(draft, retry.step, given);
  else startEffectAgain(draft, step, given);
  return 'started';
}

/** Starts all that decided retries owe and whose time has come, in the definition's order: map order is that of hashes. */
export function startDueRetries(draft: Draft): void {
  const place = (step: string): number => draft.plan.step(parseOccurrence(step).step)?.index ?? 0;
  const owed = [...draft.state.path.retries.entries()]
    .filter(([, { settled, decision }]) => !settled && goesOn(decision))
    .sort(([, a], [, b]) => place(a.step) - place(b.step) || parseOccurrence(a.step).turn - parseOccurrence(b.step).turn);
  for (const [attemptId] of owed) startDueRetry(draft, attemptId);
}

/**
 * What a branch owes that has just been opened: attempts that its decision is for, what was open at the fork and is not carried, steps that
 * its scope drops or adds, and whatever else may start where it stands. Done again it changes nothing. Looks at every step once.
 */
export function goOn(draft: Draft): void {
  const settled = dropFromScope(draft); // First: what is dropped is owed nothing any more.
  startDueRetries(draft);
  if (draft.state.shadow === null) {
    reconcileOwed(draft);
    compensateChosen(draft);
  }
  for (const [occurrence, entry] of inOrder(draft)) {
    if (draft.state.end !== null) return;
    if (startAgain(draft, occurrence, entry)) settled.push(occurrence);
  }
  advance(draft, [...settled, ...lastTurns(draft)], stepsOfScope(draft));
  if (draft.state.end !== null) return;
  start(draft, new Set(draft.plan.steps.filter((step) => isReady(draft, step))));
  endIfDone(draft);
}

/** What has begun on this path, in the definition's order: map order is that of hashes. */
function inOrder({ plan, state }: Draft): [string, StepEntry][] {
  const place = (occurrence: string): number => plan.step(parseOccurrence(occurrence).step)?.index ?? 0;
  return [...state.path.steps.entries()].sort(([a], [b]) => place(a) - place(b) || parseOccurrence(a).turn - parseOccurrence(b).turn);
}

/** Starts what was under way at the fork and is with nobody here; a wait takes what is carried for it. Answers whether that settled it. */
function startAgain(draft: Draft, occurrence: string, { status }: StepEntry): boolean {
  const { step: id, turn, part } = parseOccurrence(occurrence);
  const step = draft.plan.step(id);
  if (step === undefined || part !== undefined) return false;
  if (draft.state.shadow !== null && step.kind !== 'task') {
    if (isSettled(draft.state, occurrence)) return false;
    stubStep(draft, step);
    return isSettled(draft.state, occurrence);
  }
  if (status === 'waiting' && turn > 0) {
    if (!hasOpenReview(draft.state, occurrence) && !isAskedHere(draft.state, occurrence)) startTurn(draft, step, turn);
    return false;
  }
  if (status === 'waiting' && step.wait !== undefined) {
    if (draft.state.path.waits.get(waitIdOf(draft.state, id))?.open === true) takeCarried(draft, id);
    else startStep(draft, step);
    return isSettled(draft.state, id);
  }
  if (status === 'waiting' && step.review !== undefined) {
    if (!hasOpenReview(draft.state, id) && !isAskedHere(draft.state, id)) startStep(draft, step);
    return isSettled(draft.state, id);
  }
  const isWithNobody = (status === 'active' || status === 'failed') && !isUnderWay(draft.state, occurrence);
  if (!isWithNobody) return false;
  if (step.guardedBy.length > 0) startStep(draft, step);
  else if (step.kind === 'effect') startEffect(draft, step);
  else startTask(draft, step, occurrence, turn === 0 ? undefined : turn);
  return isSettled(draft.state, occurrence);
}

/** Starts what a branch would have started again and people have let go now. Others of these steps start as any other. */
export function startHeld(draft: Draft, ids: readonly string[]): void {
  for (const id of ids) {
    const entry = draft.state.path.steps.get(id);
    if (entry !== undefined && draft.state.end === null) startAgain(draft, id, entry);
  }
}

/** People have been asked on this very branch: what came of that stays as it is, however often the branch is told to begin. */
const isAskedHere = (state: RunState, step: string): boolean =>
  reviewsOf(state, step).some(([reviewId, { n }]) => reviewId === idOf('review', state.runId, state.branch, step, n));

const hasOpenReview = (state: RunState, step: string): boolean => reviewsOf(state, step).some(([, review]) => isOpenReview(review));

/** Whether an attempt of it is open, or owed, or a person is. */
const isUnderWay = (state: RunState, occurrence: string): boolean =>
  unsettledRetry(state, occurrence) !== undefined || [...state.path.attempts.values()].some(({ step }) => step === occurrence);

/**
 * Last turns of loops: whether a loop is over is asked here, and nothing may take a turn's end for it. A stage that was reached says that
 * it is.
 */
function lastTurns({ plan, state }: Draft): string[] {
  const isOpen = (id: string): boolean => {
    const name = plan.step(id)?.checkpoint;
    return name === undefined || !state.path.checkpoints.has(name);
  };
  return [...state.path.loops.entries()].flatMap(([id, turn]) => (isOpen(id) ? [`${id}#${turn}`] : [])).sort();
}

/** Skips what the branch leaves out, by name or with the reduced paths that are taken, and answers what was skipped. */
export function dropFromScope(draft: Draft): string[] {
  const taken = draft.plan.reduced.filter(({ id }) => draft.state.path.reduced.includes(id));
  const open = [...taken.flatMap(({ drops }) => drops), ...draft.state.path.skips].filter((id) => !isSettled(draft.state, id));
  const skipped = [...new Set(open)].map((id) => occurrenceOf(draft.state, id));
  for (const step of skipped) draft.add({ type: 'StepSkipped', version: 1, data: { step, because: 'scope' } });
  return skipped;
}

/** Steps that only reduced paths have: whether one may start is asked as of any other. */
export const stepsOfScope = ({ plan }: Draft): string[] => plan.reduced.flatMap(({ steps }) => steps);

/** The step as it runs now: of a loop its last turn. */
function occurrenceOf({ path }: RunState, id: string): string {
  const turn = path.loops.get(id);
  return turn === undefined ? id : `${id}#${turn}`;
}

/** One occurrence is settled: reach its checkpoint, go on with its loop, and note which steps may start. */
function afterSettling(draft: Draft, occurrence: string, ready: Set<PlannedStep>): void {
  if (draft.state.end !== null) return;
  const { step: id, turn, part } = parseOccurrence(occurrence);
  const step = draft.plan.step(id);
  if (step === undefined || part !== undefined) return;
  if (turn > 0 && nextTurn(draft, step, turn) !== 'over') return;
  const succeeded = draft.state.path.steps.get(occurrence)?.status === 'succeeded';
  if (step.checkpoint !== undefined && succeeded) reachStage(draft, step, occurrence);
  for (const dependent of dependentsOf(draft, step)) if (isReady(draft, dependent)) ready.add(dependent);
}

/** Whether a loop is over after this turn; else its next turn has started, or the run has ended over it. */
function nextTurn(draft: Draft, step: PlannedStep, turn: number): 'over' | 'goes_on' {
  const { repeat } = step;
  const entry = draft.state.path.steps.get(`${step.id}#${turn}`);
  if (repeat === undefined || entry?.status !== 'succeeded') return 'over';
  const until = repeat.until.evaluate(draft.scope(repeat.until.stepRefs, { output: draft.valueOf(entry.output), turn }));
  if (!until.ok) {
    giveUpStep(draft, step, DEFINITION_ERROR, `repeat.until: ${until.error}`);
    return draft.state.end === null ? 'over' : 'goes_on';
  }
  if (until.value) return 'over';
  if (turn >= repeat.max) {
    giveUpStep(draft, step, 'loop_exhausted', `repeat.until did not hold after ${repeat.max} turns`);
    return draft.state.end === null ? 'over' : 'goes_on';
  }
  startTurn(draft, step, turn + 1);
  return 'goes_on';
}

function startTurn(draft: Draft, step: PlannedStep, turn: number): void {
  const attempts = draft.state.ledger.spend.get('')?.attempts ?? 0;
  const max = occurrencesMax(draft.state, draft.plan.limits.occurrences);
  if (attempts >= max) {
    const says = `limits.occurrences: the run has started ${attempts} attempts and may start ${max}`;
    if (draft.state.shadow === null) askAboutTurn(draft, step, turn);
    else failRun(draft, `${step.id}#${turn}`, 'budget', says); // A shadow asks nobody: it stops there.
    return;
  }
  startTask(draft, step, `${step.id}#${turn}`, turn);
}

/** Dependents, and those of the waits whose detour this side step was. */
function dependentsOf(draft: Draft, step: PlannedStep): PlannedStep[] {
  const ids = [...step.dependents];
  if (step.side) {
    for (const [wait, side] of draft.state.path.detours.entries())
      if (side === step.id) ids.push(...(draft.plan.step(wait)?.dependents ?? []));
  }
  return ids.flatMap((id) => draft.plan.step(id) ?? []);
}

function isReady(draft: Draft, step: PlannedStep): boolean {
  const { state } = draft;
  if (state.path.steps.has(step.id) || state.path.loops.has(step.id)) return false;
  if (step.reduced !== undefined && !state.path.reduced.includes(step.reduced)) return false;
  if (step.side) return [...state.path.detours.values()].includes(step.id);
  if (step.after.length === 0) return true;
  let settled = 0;
  for (const id of step.after) if (isSettled(state, id)) settled += 1;
  return settled >= step.join.k;
}

/** Starts steps in rounds: skips first, then in the definition's order; what settles at once (emits, skips) opens the next round. */
function start(draft: Draft, first: Set<PlannedStep>): void {
  let ready = first;
  while (ready.size > 0 && draft.state.end === null) {
    const toStart = skipWhereFalse(draft, ready);
    ready = new Set<PlannedStep>();
    for (const step of toStart) {
      if (draft.state.end !== null) return;
      startStep(draft, step);
      if (draft.state.end === null && isSettled(draft.state, step.id)) afterSettling(draft, step.id, ready);
    }
  }
}

const byIndex = (a: PlannedStep, b: PlannedStep): number => a.index - b.index;

/** Evaluates `when` of all that are ready, and of what becomes ready by a skip; answers those that shall start, in order. */
function skipWhereFalse(draft: Draft, ready: Set<PlannedStep>): PlannedStep[] {
  const toStart: PlannedStep[] = [];
  const open = [...ready].sort(byIndex);
  for (let step = open.shift(); step !== undefined; step = open.shift()) {
    const verdict = step.when === undefined ? ({ ok: true, value: true } as const) : step.when.evaluate(draft.scope(step.when.stepRefs));
    if (!verdict.ok) {
      giveUpStep(draft, step, DEFINITION_ERROR, `when: ${verdict.error}`);
      if (draft.state.end !== null) return [];
      if (!isSettled(draft.state, step.id)) continue;
    } else if (verdict.value) {
      toStart.push(step);
      continue;
    } else {
      draft.add({ type: 'StepSkipped', version: 1, data: { step: step.id, because: 'when' } });
    }
    const opened = new Set<PlannedStep>();
    afterSettling(draft, step.id, opened);
    for (const next of opened) if (!toStart.includes(next) && !open.includes(next)) open.push(next);
    open.sort(byIndex);
  }
  return toStart.sort(byIndex);
}

function startStep(draft: Draft, step: PlannedStep): void {
  const isShadow = draft.state.shadow !== null;
  if (isShadow && step.kind !== 'task') return stubStep(draft, step);
  if (step.kind === 'effect' && isHeldByChoice(draft, step)) return;
  // What a branch takes over as it was done before changes nothing outside, and needs nobody's word.
  const isFree = isShadow || step.guardedBy.length === 0 || (step.kind === 'effect' && reusedBy(draft, step) !== undefined);
  const gate = isFree ? undefined : gateOf(draft, step);
  if (gate?.kind === 'held') return; // Whoever answers the review comes here again.
  if (gate?.kind === 'ask') {
    ask(draft, gate);
    return;
  }
  if (step.kind === 'effect') return startEffect(draft, step, gate?.edit);
  if (step.kind === 'task') {
    if (step.repeat === undefined) startTask(draft, step, step.id, undefined, gate?.edit);
    else startTurn(draft, step, 1);
    return;
  }
  const { review, wait } = asChanged(draft.state, step);
  if (review !== undefined && carryVerdict(draft, step, review)) return;
  const problem =
    review !== undefined
      ? requestReview(draft, step, review)
      : wait === undefined
        ? step.emit && emitEvent(draft, step, step.emit)
        : openWait(draft, step, wait);
  if (problem !== undefined) giveUpStep(draft, step, DEFINITION_ERROR, problem.problem);
}

/** What would start is not what was approved: people are asked (again). */
function ask(draft: Draft, gate: Extract<Gate, { kind: 'ask' }>): void {
  const unasked = requestReview(draft, gate.step, asChanged(draft.state, gate.step).review ?? gate.review, gate.previous);
  if (unasked !== undefined) failRun(draft, gate.step.id, DEFINITION_ERROR, unasked.problem);
}

/** A step that cannot go on: a task's attempt fails and is judged; what has no attempts is skipped if optional, else ends the run. */
function giveUpStep(draft: Draft, step: PlannedStep, bucket: string, message: string): void {
  const turn = draft.state.path.loops.get(step.id);
  if ((step.kind === 'task' || step.kind === 'effect') && turn === undefined) {
    const attemptId = startAttempt(draft, step.id, { queue: step.queue ?? '', input: null, params: {} });
    failAttempt(draft, { step: step.id, attemptId, code: bucket, message });
  } else if (step.optional) {
    draft.add({
      type: 'StepSkipped',
      version: 1,
      data: { step: turn === undefined ? step.id : `${step.id}#${turn}`, because: 'optional' },
    });
  } else {
    failRun(draft, step.id, bucket, message);
  }
}

function reachStage(draft: Draft, step: PlannedStep, occurrence: string): void {
  const entry = draft.state.path.steps.get(occurrence);
  const result = entry === undefined ? null : outputDigest(entry.output);
  reachCheckpoint(draft, {
    name: step.checkpoint ?? occurrence,
    kind: 'stage',
    step: occurrence,
    claim: {
      says: `${occurrence} is complete`,
      ...(result === null ? {} : { resultDigest: `sha256:${result}` }),
      artifacts: entry !== undefined && entry.output !== null && 'ref' in entry.output ? [entry.output.ref.artifact] : [],
    },
  });
}

/** Of a shadow, after each of its decisions: it ends as soon as nothing of it is under way. */
export function goOnInShadow(draft: Draft): void {
  // No policy judges a shadow: what may fail is left out, and with anything else it stops.
  for (const { step } of [...draft.state.path.retries.values()].filter(({ settled }) => !settled)) {
    if (draft.state.end !== null) return;
    if (draft.plan.step(parseOccurrence(step).step)?.optional !== true) continue;
    settleSkipped(draft, step, 'optional');
    advance(draft, [step]);
  }
  endShadowIfIdle(draft, (step) => isReady(draft, step));
}

/** The run is complete when every step on the path is settled and nothing is open. */
function endIfDone(draft: Draft): void {
  const { state, plan } = draft;
  if (state.end !== null || state.started === null || !isIdle(state)) return;
  if (!plan.steps.every((step) => isOffPath(state, step) || isSettled(state, step.id))) return;
  const output = plan.output?.value?.evaluate(draft.scope(plan.output.value.stepRefs));
  if (output !== undefined && !output.ok) return failRun(draft, undefined, DEFINITION_ERROR, `output: ${output.error}`);
  const value = output?.value ?? null;
  const [breach] = plan.output?.validate(value) ?? [];
  if (breach !== undefined && plan.output?.schema !== undefined) {
    return failRun(draft, undefined, 'invalid_output', `output${breach.pointer}: ${breach.says}`);
  }
  const outcome = state.path.reduced.length === 0 ? 'succeeded' : 'reduced';
  endRun(draft, { type: 'RunCompleted', version: 1, data: { outcome, output: value } });
}

/** Whether the run is complete without this step. */
const isOffPath = ({ path }: RunState, { side, reduced }: PlannedStep): boolean =>
  side || (reduced !== undefined && !path.reduced.includes(reduced));

function isIdle({ path: { counts } }: RunState): boolean {
  return counts.firstAttempts + counts.laterAttempts + counts.retriesOwed + counts.blocked + counts.openWaits + counts.openReviews === 0;
}
