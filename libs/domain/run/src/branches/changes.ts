import { applyPatch, pointerParts, type JsonPatchOp, type PlannedStep } from '@cairn/domain-definition';
import { canon, type Json } from '@cairn/kernel';
import { parseOccurrence, type StepWork } from '../state.js';
import { definitionOf } from './documents.js';
import type { BranchCause } from './events.js';
import type { BranchRequest, PlanFacts, PlanProblem } from './request.js';
import { isRule, ofWork, ruleProblem } from './rules.js';

/** What each cause may change (`capabilities.md` §6). */
const allowed: Readonly<Record<BranchCause, readonly string[]>> = {
  retry_modified: ['input', 'steps'],
  fallback: ['steps'],
  reduced_scope: ['scope'],
  override: ['input', 'steps', 'outputs', 'skip'],
  correction: ['input', 'steps', 'outputs', 'definition'],
  what_if: ['input', 'steps', 'outputs', 'skip', 'scope', 'definition'],
};
/** Without a change a branch of that cause would do the same again (C-CAUSE). */
const needed: Readonly<Partial<Record<BranchCause, string>>> = {
  retry_modified: 'retry_modified changes /input or a step: say what is different this time',
  fallback: 'fallback gives a step the queue of an alternative that it declares: /steps/<id>/queue',
  reduced_scope: 'reduced_scope takes a reduced path: /scope, with its id',
};
/** Parts of a step that a change may name, by its kind: of its work, and of the rules that it is under. */
const PARTS_OF: Readonly<Record<PlannedStep['kind'], readonly string[]>> = {
  task: ['queue', 'input', 'params', 'guidance', 'timeout', 'retry'],
  effect: ['queue', 'input', 'params', 'guidance', 'timeout', 'retry'],
  wait: ['deadline'],
  review: ['deadline'],
  emit: [],
};
const ALL_PARTS = ['queue', 'input', 'params', 'guidance', 'timeout', 'retry', 'deadline'];
/** Characters of what a person wants to be different: as much as a review takes. */
const GUIDANCE_MAX = 4_000;
/** Named by the design, and not run yet. */
const LATER = ['budget'];

/** Whether the cause runs at all. */
export function causesOf({ cause, reason, shadow, changes = [] }: BranchRequest, isFromShadow: boolean): PlanProblem[] {
  const problems: PlanProblem[] = [];
  if (cause === 'what_if' && shadow !== true)
    problems.push({ pointer: '/shadow', rule: 'required', says: 'what_if is asked with shadow: true: it never acts' });
  if (cause !== 'what_if' && shadow === true)
    problems.push({ pointer: '/cause', rule: 'shadow', says: `a shadow is opened with cause what_if, not ${cause}` });
  if (reason.trim().length === 0)
    problems.push({ pointer: '/reason', rule: 'required', says: 'say why: it stands in the history for good' });
  const need = needed[cause];
  // What is promoted brings along what its shadow changed.
  if (need !== undefined && !isFromShadow && changes.every(({ op }) => op === 'test'))
    problems.push({ pointer: '/changes', rule: 'required', says: need });
  return problems;
}

/** Whether each change is one that the cause may make, names what is there, fits, and makes a difference. */
export function problemsOfChanges(facts: PlanFacts, request: BranchRequest): PlanProblem[] {
  return (request.changes ?? []).flatMap((op, i) => {
    const says = problemOf(facts, request, op, i);
    return says === undefined ? [] : [{ pointer: `/changes/${i}`, ...says }];
  });
}

interface Says {
  readonly rule: string;
  readonly says: string;
}

function problemOf(facts: PlanFacts, request: BranchRequest, op: JsonPatchOp, i: number): Says | undefined {
  const [slice = '', name = '', part = ''] = pointerParts(op.path);
  if (LATER.includes(slice)) return { rule: 'not_yet', says: `/${slice} cannot be changed yet in this release` };
  if (!Object.values(allowed).some((slices) => slices.includes(slice)))
    return {
      rule: 'path',
      says: `a change names /input, /steps/<id>/(${ALL_PARTS.join('|')}), /outputs/<step>, /skip/<id>, /scope or /definition, not ${op.path}`,
    };
  if (!allowed[request.cause].includes(slice))
    return { rule: 'cause', says: `${request.cause} may change ${allowed[request.cause].map((one) => `/${one}`).join(', ') || 'nothing'}` };
  const isWhole = pointerParts(op.path).length <= (WHOLE_PARTS[slice] ?? 2);
  if (isWhole && op.op === 'remove') return { rule: 'op', says: 'what a step or the run is given can be replaced, and not be taken away' };
  switch (slice) {
    case 'input':
      return inputProblem(facts, request, i);
    case 'scope':
      return scopeProblem(facts, 'value' in op ? op.value : undefined);
    case 'definition':
      return definitionProblem(facts, op, isWhole);
    case 'steps':
      return stepProblem(facts, request, op, { i, id: name, part, isWhole });
    default:
      return settledProblem(facts, op, { slice, name, isWhole });
  }
}

/** `/input`, `/scope`, `/definition`; `/outputs/<step>`, `/skip/<step>`; `/steps/<id>/<part>`: the whole of what may be changed there. */
const WHOLE_PARTS: Readonly<Record<string, number>> = { input: 1, scope: 1, definition: 1, outputs: 2, skip: 2, steps: 3 };

/** `/outputs/<step>` and `/skip/<step>`: the step is settled by it, so it is one that the definition has, and its output is a good one. */
function settledProblem(
  { plan }: PlanFacts,
  op: JsonPatchOp,
  { slice, name, isWhole }: { readonly slice: string; readonly name: string; readonly isWhole: boolean },
): Says | undefined {
  const step = plan.step(parseOccurrence(name).step);
  if (step === undefined) return { rule: 'unknown-ref', says: `there is no step ${name}` };
  if (!isWhole || op.op === 'test') return { rule: 'path', says: `/${slice}/<step> is added or replaced as a whole` };
  if (step.repeat !== undefined)
    return { rule: 'not_yet', says: `${step.id} is a loop, whose turns cannot be settled yet in this release` };
  if (slice === 'skip' || op.op === 'remove') return undefined;
  const [breach] = step.validateOutput(op.value);
  return breach === undefined ? undefined : { rule: breach.rule, says: `output${breach.pointer}: ${breach.says}` };
}

/** The changes of one value up to the `i`th of the request, below that value. */
const upTo = ({ changes = [] }: BranchRequest, i: number, prefix: string): readonly JsonPatchOp[] =>
  changes
    .slice(0, i + 1)
    .filter(({ path }) => path === prefix || path.startsWith(`${prefix}/`))
    .map((op) => ({ ...op, path: op.path.slice(prefix.length) }));

const NOTHING_CHANGES: Says = { rule: 'no_change', says: 'that is what there is already: it would change nothing' };

/** Whether the last of the changes leaves the value as the others had made it. A test is asked to. */
function isIdle(value: Json, ops: readonly JsonPatchOp[]): boolean {
  const [before, after] = [applyPatch(value, ops.slice(0, -1)), applyPatch(value, ops)];
  return ops.at(-1)?.op !== 'test' && before.ok && after.ok && canon(before.value) === canon(after.value);
}

function inputProblem({ plan, parent }: PlanFacts, request: BranchRequest, i: number): Says | undefined {
  const before = parent.started?.input ?? null;
  const ops = upTo(request, i, '/input');
  const patched = applyPatch(before, ops);
  if (!patched.ok) return patched.index < ops.length - 1 ? undefined : { rule: patched.rule, says: `input: ${patched.says}` };
  if (isIdle(before, ops)) return NOTHING_CHANGES;
  if ((request.changes ?? []).slice(i + 1).some(({ path }) => pointerParts(path)[0] === 'input')) return undefined; // Judged with the last of them.
  const [breach] = plan.validateInput(patched.value);
  return breach === undefined ? undefined : { rule: breach.rule, says: `input${breach.pointer}: ${breach.says}` };
}

function scopeProblem({ plan, head }: PlanFacts, id: unknown): Says | undefined {
  const left = plan.reduced.filter((one) => !head.path.reduced.includes(one.id)).map((one) => one.id);
  return typeof id === 'string' && left.includes(id)
    ? undefined
    : { rule: 'unknown-ref', says: `no reduced path is left as that; there is ${left.join(', ') || 'none'}` };
}

/** Another version of the workflow, in which whatever has begun before the fork is still what it was. `plan` is the one that is asked for. */
function definitionProblem({ plan, parent, documents }: PlanFacts, op: JsonPatchOp, isWhole: boolean): Says | undefined {
  if (!isWhole || op.op === 'test' || op.op === 'remove')
    return { rule: 'path', says: '/definition is replaced as a whole, by another applied version of the workflow' };
  const pinned = parent.started?.definition;
  if (definitionOf(op.value) === undefined)
    return { rule: 'type', says: `/definition is a version such as ${String(pinned?.version)}, a hash sha256:…, or {version, hash}` };
  const found = documents?.definition;
  if (found === undefined)
    return {
      rule: 'unknown-ref',
      says: `${pinned?.name} has no such version; applied are ${(documents?.versions ?? []).join(', ') || 'none'}`,
    };
  if (found.pin.hash === pinned?.hash) return NOTHING_CHANGES;
  for (const occurrence of [...parent.path.steps.keys()].sort()) {
    const { step: id, turn, part } = parseOccurrence(occurrence);
    if (part !== undefined) continue;
    const step = plan.step(id);
    if (step === undefined)
      return { rule: 'step_gone', says: `${found.pin.version} has no step ${id}, which has begun at the fork: fork before it` };
    if (turn > 0 !== (step.repeat !== undefined))
      return {
        rule: 'step_gone',
        says: `${id} has begun at the fork and is ${turn > 0 ? 'no' : 'a'} loop in ${found.pin.version}: fork before it`,
      };
  }
  const gone = parent.path.reduced.find((id) => !plan.reduced.some((one) => one.id === id));
  if (gone !== undefined) return { rule: 'step_gone', says: `${found.pin.version} has no reduced path ${gone}, which the run has taken` };
  const [missing] = documents?.missing ?? [];
  if (missing !== undefined && plan.retryPolicies.some(({ name }) => missing.split('@')[0] === name))
    return { rule: 'unknown-ref', says: `there is no policy ${missing}, which ${found.pin.version} names` };
  const [breach] = plan.validateInput(parent.started?.input ?? null);
  return breach === undefined
    ? undefined
    : { rule: breach.rule, says: `the run's input does not fit ${found.pin.version}: input${breach.pointer}: ${breach.says}` };
}

interface OfStep {
  readonly i: number;
  readonly id: string;
  readonly part: string;
  readonly isWhole: boolean;
}

function stepProblem(facts: PlanFacts, request: BranchRequest, op: JsonPatchOp, { i, id, part, isWhole }: OfStep): Says | undefined {
  const { plan, parent } = facts;
  const step = plan.step(id);
  if (step === undefined) return { rule: 'unknown-ref', says: `there is no step ${id}` };
  if (!ALL_PARTS.includes(part)) return { rule: 'path', says: `of a step ${ALL_PARTS.join(', ')} can be changed` };
  if (!PARTS_OF[step.kind].includes(part))
    return {
      rule: 'kind',
      says: `${id} is ${step.kind === 'effect' || step.kind === 'emit' ? 'an' : 'a'} ${step.kind}: it has no ${part} to change${PARTS_OF[step.kind].length === 0 ? '' : `, but ${PARTS_OF[step.kind].join(', ')}`}`,
    };
  const entry = parent.path.steps.get(id);
  if (entry?.status === 'succeeded' || entry?.status === 'skipped')
    return { rule: 'settled', says: `${id} is done at the fork and does not run again: fork before it` };
  if (isRule(part)) return ruleOfStepProblem(facts, op, step, part, isWhole);
  if (part === 'queue' && ('value' in op ? typeof op.value !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(op.value) : true))
    return { rule: 'type', says: 'a queue is a name' };
  if (part === 'guidance' && ('value' in op ? typeof op.value !== 'string' || op.value.length > GUIDANCE_MAX : true))
    return { rule: 'type', says: `guidance is a text of at most ${GUIDANCE_MAX} characters` };
  if (request.cause === 'fallback' && part === 'queue' && 'value' in op && !step.fallback.some(({ queue }) => queue === op.value))
    return { rule: 'undeclared', says: `${id} declares ${step.fallback.map(({ queue }) => queue).join(', ') || 'no alternative'}` };
  const ops = upTo(request, i, `/steps/${id}`);
  return entry?.work === undefined ? asWrittenProblem(facts, step, ops, part) : workProblem(entry.work, ops);
}

function ruleOfStepProblem(
  { parent, documents }: PlanFacts,
  op: JsonPatchOp,
  step: PlannedStep,
  part: 'timeout' | 'retry' | 'deadline',
  isWhole: boolean,
): Says | undefined {
  if (!isWhole || op.op === 'test' || op.op === 'remove')
    return { rule: 'path', says: `/steps/<id>/${part} is added or replaced as a whole` };
  const problem = ruleProblem(step, part, op.value);
  if (problem !== undefined || part !== 'retry') return problem;
  if ((documents?.missing ?? []).includes(String(op.value)))
    return {
      rule: 'unknown-ref',
      says: `there is no policy ${String(op.value)}; the run has pinned ${pinsOf(parent.started?.policies ?? [])}`,
    };
  return undefined;
}

const pinsOf = (pins: readonly { readonly name: string; readonly version: string | number }[]): string =>
  pins.map(({ name, version }) => `${name}@${version}`).join(', ') || 'none';

/** A step that has its work goes on with it as it is changed. */
function workProblem({ queue, input, params, guidance }: StepWork, all: readonly JsonPatchOp[]): Says | undefined {
  const value = { queue, input, params, ...(guidance === undefined ? {} : { guidance }) };
  const ops = ofWork(all) ?? [];
  const patched = applyPatch(value, ops);
  if (patched.ok) return isIdle(value, ops) ? NOTHING_CHANGES : undefined;
  return patched.index < ops.length - 1 ? undefined : { rule: patched.rule, says: patched.says };
}

/**
 * A step that has not started has no work yet: it is asked what the definition writes. Below an expression nobody knows what will be there;
 * what does not fit then fails the step, visibly.
 */
function asWrittenProblem({ parent }: PlanFacts, step: PlannedStep, ops: readonly JsonPatchOp[], part: string): Says | undefined {
  const { document, queue = '' } = step;
  const written = { queue, input: document.input ?? {}, params: document.params ?? {} } as unknown as Json;
  const before = changedBefore(parent.path.changed.get(step.id) ?? [], written);
  const last = ops.at(-1);
  if (before === undefined || last === undefined || isBelowExpression(before, pointerParts(last.path))) return undefined;
  const mine = (ofWork(ops) ?? []).filter(({ path }) => pointerParts(path)[0] === part);
  const patched = applyPatch(before, mine);
  if (!patched.ok) return patched.index < mine.length - 1 ? undefined : { rule: patched.rule, says: `${step.id}: ${patched.says}` };
  return isIdle(before, mine) ? NOTHING_CHANGES : undefined;
}

/** What is written as earlier branches have changed it; `undefined` where that cannot be told. */
function changedBefore(ops: readonly JsonPatchOp[], written: Json): Json | undefined {
  const patched = applyPatch(written, ofWork(ops) ?? []);
  return patched.ok ? patched.value : undefined;
}

function isBelowExpression(value: Json, parts: readonly string[]): boolean {
  if (typeof value === 'string') return value.includes('${');
  const [part, ...rest] = parts;
  if (part === undefined || typeof value !== 'object' || value === null) return false;
  const below = (value as { readonly [name: string]: Json })[part];
  return below !== undefined && isBelowExpression(below, rest);
}
