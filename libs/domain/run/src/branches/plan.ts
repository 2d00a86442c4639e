import { pointerParts, type Plan } from '@cairn/domain-definition';
import { canon, type Json } from '@cairn/kernel';
import { partsUnderWay } from '../effects/parts.js';
import { parseOccurrence, type EffectEntry, type RunState } from '../state.js';
import { waitIdOf } from '../waits/evolve.js';
import { receivedSince } from './begin.js';
import { causesOf, problemsOfChanges } from './changes.js';
import type { Carried, EffectChoice } from './events.js';
import { verdictsSince } from './verdicts.js';
import type { BranchPlan, BranchRequest, PlanFacts, PlanProblem, ReceivedChoice } from './request.js';

/** What may become of a confirmed effect; `compensate` needs a queue that undoes it. */
const CHOICES: readonly EffectChoice[] = ['reuse', 'compensate', 'repeat', 'ask'];

/** Plans a branch: pure, asks nobody. Empty `problems` and `unresolved`: it may be opened. */
export function planBranch(given: PlanFacts, request: BranchRequest): BranchPlan {
  const facts = withDefinition(given);
  const { fork, parent, head } = facts;
  const effects = effectsBehind(facts, request);
  const received = receivedOf(facts, request);
  const isShadow = request.shadow === true;
  return {
    fork: `${fork.branch}@${fork.revision}`,
    checkpoint: parent.path.checkpoint,
    head: `${head.branch}@${head.revision}`,
    keeps: inOrder(facts.plan, settledAt(parent)),
    reruns: inOrder(facts.plan, rerunsOf(facts, request)),
    received,
    effects,
    problems: [
      ...headMoved(head, request),
      ...causesOf(request, parent.shadow !== null),
      ...problemsOfChanges(facts, request),
      ...unknownChoices(facts, request, received, effects),
      ...repeatedForNothing(request),
      ...(isShadow ? [] : inDoubt(effects)),
      ...(isShadow ? [] : partsOpen(head)),
      ...wokeTwice(received),
      ...noMoreBranches(head),
      ...stubbedBefore(parent, request),
    ],
    unresolved: effects.filter(({ status, choice }) => status === 'confirmed' && choice === null).map(({ key }) => `effects/${key}`),
  };
}

/** What goes on under its id: open at the fork and at the head, not concerned by a change, not dropped. */
export function carriedBy(given: PlanFacts, request: BranchRequest): Carried {
  const facts = withDefinition(given);
  const { parent, head } = facts;
  const isConcerned = concernedBy(facts, request);
  const isLeftOut = leftOutBy(facts, request);
  const attempts = [...parent.path.attempts.entries()].flatMap(([id, { step }]) =>
    head.path.attempts.has(id) && !isConcerned(step) ? [id] : [],
  );
  const waits = [...parent.path.waits.entries()].flatMap(([id, { step, open }]) =>
    open && isStillOpen(facts, id) && !isConcerned(step) && !isLeftOut(step) && !isDropped(request, step) ? [id] : [],
  );
  const events = receivedSince(parent, head).flatMap(({ eventId }) => (request.received?.[`event:${eventId}`] === 'drop' ? [] : [eventId]));
  const verdicts = verdictsSince(parent, head).flatMap(({ reviewId, entry }) =>
    request.received?.[`verdict:${entry.step}`] === 'carry' ? [reviewId] : [],
  );
  const approved = verdicts.length === 0 ? {} : { verdicts: verdicts.sort() };
  return { attempts: attempts.sort(), waits: waits.sort(), failures: [], ...approved, events: events.sort() };
}

/** A wait that is not taken along: it opens again. */
const isDropped = ({ received }: BranchRequest, step: string): boolean => received?.[`wait:${step}`] === 'drop';

/** Steps that a change concerns: nothing of them that is under way goes on. */
function concernedBy(facts: PlanFacts, request: BranchRequest): (occurrence: string) => boolean {
  const slices = slicesOf(request);
  const isLeftOut = leftOutBy(facts, request);
  return (occurrence) => {
    const { step } = parseOccurrence(occurrence);
    if (isLeftOut(occurrence) || isOther(facts, step)) return true;
    // What a wait waits for was said when it opened: the run's input makes no other wait of it.
    return slices.some(
      ([slice, name]) => (slice === 'input' && facts.plan.step(step)?.wait === undefined) || (slice === 'steps' && name === step),
    );
  };
}

/** Whether the definition that is asked for says something else of the step than the one that it has begun under. */
function isOther({ plan, before }: PlanFacts, step: string): boolean {
  if (before === undefined) return false;
  const [then, now] = [before.step(step), plan.step(step)];
  return canon((then?.document ?? null) as unknown as Json) !== canon((now?.document ?? null) as unknown as Json);
}

/** Everything is judged by the definition that the branch goes on with. */
function withDefinition(facts: PlanFacts): PlanFacts {
  const asked = facts.documents?.definition?.plan;
  return asked === undefined || facts.before !== undefined ? facts : { ...facts, plan: asked, before: facts.plan };
}

/** Steps that do not run or wait here any more: their output is given, they are skipped, or a reduced path drops them. */
function leftOutBy({ plan }: PlanFacts, request: BranchRequest): (occurrence: string) => boolean {
  const taken = (request.changes ?? []).flatMap((op) => (op.path === '/scope' && op.op !== 'remove' ? [op.value] : []));
  const dropped = new Set(plan.reduced.flatMap(({ id, drops }) => (taken.includes(id) ? drops : [])));
  const named = slicesOf(request).flatMap(([slice, name = '']) =>
    slice === 'skip' || slice === 'outputs' ? [parseOccurrence(name).step] : [],
  );
  return (occurrence) => {
    const { step } = parseOccurrence(occurrence);
    return dropped.has(step) || named.includes(step);
  };
}

const slicesOf = ({ changes = [] }: BranchRequest): string[][] => changes.map(({ path }) => pointerParts(path));

/** Open at the head, too, and what only a timer brought there is not missing here: nobody rings it a second time. */
function isStillOpen({ parent, head }: PlanFacts, waitId: string): boolean {
  const [before, now] = [parent.path.waits.get(waitId), head.path.waits.get(waitId)];
  const known = new Set(before?.got.map(({ eventId }) => eventId));
  return now?.open === true && now.got.every(({ event, eventId }) => event !== undefined || known.has(eventId));
}

const settledAt = ({ path }: RunState): string[] =>
  [...path.steps.entries()].flatMap(([step, { status }]) =>
    parseOccurrence(step).part === undefined && (status === 'succeeded' || status === 'skipped') ? [step] : [],
  );

function rerunsOf(facts: PlanFacts, request: BranchRequest): string[] {
  const { parent, head } = facts;
  const isConcerned = concernedBy(facts, request);
  const isLeftOut = leftOutBy(facts, request);
  const settled = new Set(settledAt(parent));
  const carried = new Set(
    [...parent.path.attempts.entries()].flatMap(([id, { step }]) => (head.path.attempts.has(id) && !isConcerned(step) ? [step] : [])),
  );
  const waiting = new Set(
    [...parent.path.waits.values()].flatMap(({ step, open }) =>
      open && isStillOpen(facts, waitIdOf(head, step)) && !isConcerned(step) && !isDropped(request, step) ? [step] : [],
    ),
  );
  return [...head.path.steps.keys()].filter(
    (step) =>
      parseOccurrence(step).part === undefined &&
      facts.plan.step(parseOccurrence(step).step) !== undefined &&
      !settled.has(step) &&
      !carried.has(step) &&
      !waiting.has(step) &&
      !isLeftOut(step),
  );
}

function inOrder(plan: Plan, steps: readonly string[]): string[] {
  const place = (step: string): number => plan.step(parseOccurrence(step).step)?.index ?? 0;
  return [...steps].sort((a, b) => place(a) - place(b) || parseOccurrence(a).turn - parseOccurrence(b).turn);
}

function receivedOf(facts: PlanFacts, request: BranchRequest): BranchPlan['received'] {
  const { parent, head } = facts;
  const { received: chosen = {} } = request;
  const isConcerned = concernedBy(facts, request);
  const line = (id: string, says: string): BranchPlan['received'][number] => ({
    id,
    says,
    default: 'carry',
    choice: chosen[id] ?? 'carry',
  });
  const events = receivedSince(parent, head).map(({ eventId, event, step }) =>
    line(`event:${eventId}`, `${event?.type ?? ''} for ${step}`),
  );
  const waits = [...parent.path.waits.entries()].flatMap(([id, { step, open, opened }]) =>
    open && isStillOpen(facts, id) && !isConcerned(step)
      ? [line(`wait:${step}`, opened.deadline === null ? 'open' : `open until ${opened.deadline}`)]
      : [],
  );
  return [...events, ...waits.sort((a, b) => (a.id < b.id ? -1 : 1)), ...peopleAsked(parent, head, chosen)];
}

/** Reviews that were decided after the fork, and those that are open: they were, or are, about another path, and people are asked again. */
function peopleAsked(parent: RunState, head: RunState, chosen: NonNullable<BranchRequest['received']>): BranchPlan['received'] {
  const after = [...head.path.reviews.entries()].filter(
    ([id, { status }]) => isOpenStatus(status) || parent.path.reviews.get(id)?.status !== status,
  );
  const lines = after.map(([, { step, status }]) => {
    const id = `${isOpenStatus(status) ? 'review' : 'verdict'}:${step}`;
    return { id, says: status, default: 're_ask' as const, choice: chosen[id] ?? ('re_ask' as const) };
  });
  return [...new Map(lines.map((line) => [line.id, line])).values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
const isOpenStatus = (status: string): boolean => status === 'open' || status === 'escalated';

/** Effects that were intended, or settled, after the fork: the branch leaves them behind, and they have happened all the same. */
function effectsBehind(facts: PlanFacts, request: BranchRequest): BranchPlan['effects'] {
  const { plan, parent, head } = facts;
  const { effects: chosen = {} } = request;
  const isConcerned = concernedBy(facts, request);
  const behind = [...head.ledger.effects.entries()].filter(([key, entry]) => {
    const before = parent.ledger.effects.get(key);
    if (before !== undefined && canon(seen(before)) === canon(seen(entry))) {
      // A shadow knows of the head's intents, and has none of its attempts.
      const isOpen = parent.path.attempts.has(entry.attemptId) && head.path.attempts.has(entry.attemptId);
      const isCarried = isOpen && !isConcerned(entry.step);
      // Chosen on an earlier branch and not used there yet: it is chosen for again here.
      const isUnused = entry.status === 'confirmed' && parent.path.steps.get(entry.step)?.status !== 'succeeded';
      return isUnused || (entry.status === 'intended' && !isCarried);
    }
    return !(entry.status === 'intended' && parent.path.attempts.has(entry.attemptId) && !isConcerned(entry.step));
  });
  return behind
    .map(([key, { step, status }]) => ({
      key,
      step,
      status,
      choices: status === 'confirmed' ? (request.shadow === true ? (['reuse'] as const) : choicesOf(plan, step)) : [],
      // A shadow calls nobody: what is confirmed is taken as it is.
      choice: request.shadow === true && status === 'confirmed' ? 'reuse' : (chosen[key] ?? parent.path.choices.get(key) ?? null),
    }))
    .sort((a, b) => (plan.step(a.step)?.index ?? 0) - (plan.step(b.step)?.index ?? 0) || (a.key < b.key ? -1 : 1));
}

const choicesOf = (plan: Plan, step: string): readonly EffectChoice[] =>
  plan.step(step)?.effect?.compensate === undefined ? CHOICES.filter((choice) => choice !== 'compensate') : CHOICES;

const seen = ({ suffix, status, attemptId }: EffectEntry): { suffix: number; status: string; attemptId: string } => ({
  suffix,
  status,
  attemptId,
});

function headMoved({ branch, revision }: RunState, { expectHead }: BranchRequest): PlanProblem[] {
  const now = `${branch}@${revision}`;
  return expectHead === undefined || expectHead === now
    ? []
    : [{ pointer: '/expectHead', rule: 'head_moved', says: `the head is at ${now}: look at the plan again` }];
}

/** Why a verdict is not taken along; whether it is about exactly what would run is seen again where the branch comes to it. */
function notCarried(
  facts: PlanFacts,
  request: BranchRequest,
  id: string,
  choice: ReceivedChoice,
): Omit<PlanProblem, 'pointer'> | undefined {
  if (choice === 'drop') return undefined; // What is dropped is asked again, should the branch come to it.
  const carried = verdictsSince(facts.parent, facts.head).find(({ entry }) => `verdict:${entry.step}` === id);
  if (carried === undefined)
    return { rule: 'unknown_choice', says: 'only an approval that lets the run go on is carried: people are asked again' };
  // Whether another input of the run makes another subject is known where the branch comes to the review, by its digest.
  const isConcerned = concernedBy(facts, {
    ...request,
    changes: (request.changes ?? []).filter(({ path }) => pointerParts(path)[0] !== 'input'),
  });
  const changed = carried.entry.subjects.map(({ step }) => step).find(isConcerned);
  if (facts.before === undefined && changed === undefined) return undefined;
  return { rule: 'subject_changed', says: `${changed ?? 'the definition'} is changed, and was approved as it was: people are asked again` };
}

function unknownChoices(
  facts: PlanFacts,
  request: BranchRequest,
  received: BranchPlan['received'],
  effects: BranchPlan['effects'],
): PlanProblem[] {
  const { received: chosenReceived = {}, effects: chosenEffects = {} } = request;
  const ids = new Set(received.map(({ id }) => id));
  const wrong = Object.keys(chosenReceived)
    .filter((id) => !ids.has(id))
    .map((id) => ({ pointer: `/received/${id}`, rule: 'unknown_choice', says: 'nothing of that name came after the fork' }));
  for (const { id, default: usual } of received) {
    const choice = chosenReceived[id];
    if (choice === undefined || (usual === 're_ask' && choice === 're_ask') || (usual !== 're_ask' && choice !== 're_ask')) continue;
    const problem = usual === 're_ask' ? notCarried(facts, request, id, choice) : { rule: 'unknown_choice', says: 'carry or drop it' };
    if (problem !== undefined) wrong.push({ pointer: `/received/${id}`, ...problem });
  }
  for (const [key, choice] of Object.entries(chosenEffects)) {
    const effect = effects.find((one) => one.key === key);
    const pointer = `/effects/${key}`;
    if (effect === undefined) wrong.push({ pointer, rule: 'unknown_choice', says: 'no effect of that key was intended after the fork' });
    else if (effect.status === 'confirmed' && !effect.choices.includes(choice))
      wrong.push({
        pointer,
        rule: 'undeclared',
        says: `${effect.step} names no queue that could undo it: ${effect.choices.join(' or ')}`,
      });
    else if (effect.status !== 'confirmed')
      wrong.push({ pointer, rule: 'unknown_choice', says: `it is ${effect.status}: there is nothing to choose` });
  }
  return wrong;
}

/** What happens a second time has a reason of its own (`capabilities.md` §6); nothing else has one. */
function repeatedForNothing({ effects = {}, effectReasons = {} }: BranchRequest): PlanProblem[] {
  const repeated = Object.keys(effects).filter((key) => effects[key] === 'repeat');
  return [
    ...repeated
      .filter((key) => effectReasons[key] === undefined)
      .map((key) => ({
        pointer: `/effectReasons/${key}`,
        rule: 'required',
        says: 'it has happened, and repeat makes it happen once more: say why',
      })),
    ...Object.keys(effectReasons)
      .filter((key) => !repeated.includes(key))
      .map((key) => ({
        pointer: `/effectReasons/${key}`,
        rule: 'not_allowed',
        says: 'only an effect that is repeated has a reason of its own',
      })),
  ];
}

/** Which of two waits an event is carried for is not said in this release: it is dropped, and both ask again. */
function wokeTwice(received: BranchPlan['received']): PlanProblem[] {
  const twice = received.filter(({ id, choice }, i) => choice === 'carry' && received.findIndex((one) => one.id === id) !== i);
  return twice.map(({ id }) => ({
    pointer: `/received/${id}`,
    rule: 'not_yet',
    says: 'it woke two waits, and cannot be carried yet in this release: drop it',
  }));
}

function noMoreBranches({ started, ledger }: RunState): PlanProblem[] {
  const max = started?.limits.branches ?? 0;
  return ledger.branches.size < max
    ? []
    : [{ pointer: '', rule: 'limits.branches', says: `the run has ${max} branches, and may have no more` }];
}

/** What is being found out, or undone, is known first: a branch would take its answer for a late one. */
const partsOpen = (head: RunState): PlanProblem[] =>
  partsUnderWay(head).map((step) => ({
    pointer: '',
    rule: 'effect_in_doubt',
    says: `${step} is under way: wait until it has said what became of the effect`,
  }));

/** A branch that acts cannot take for done what a shadow only assumed (U-6). */
function stubbedBefore({ branch, shadow }: RunState, { shadow: isShadow }: BranchRequest): PlanProblem[] {
  const step = shadow?.stubbed ?? null;
  if (step === null || isShadow === true) return [];
  const says = `${step} acted on nothing in shadow ${branch}: a branch that acts grows from before it; promote finds the checkpoint`;
  return [{ pointer: '/from/at', rule: 'stubbed', says }];
}

/** `unknown` blocks until somebody finds out: a branch that forgot it could pay twice. */
const inDoubt = (effects: BranchPlan['effects']): PlanProblem[] =>
  effects
    .filter(({ status }) => status === 'unknown' || status === 'intended')
    .map(({ key, status, step }) => ({
      pointer: `/effects/${key}`,
      rule: 'effect_in_doubt',
      says:
        status === 'intended'
          ? `${step} is about to do it: wait until it has`
          : `nobody knows whether ${step} did it: find out first, with effect reconcile`,
    }));
