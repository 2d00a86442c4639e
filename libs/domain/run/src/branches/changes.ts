import { pointerParts, type JsonPatchOp } from '@cairn/domain-definition';
import { parseOccurrence } from '../state.js';
import { changedInput, changedWork } from './evolve.js';
import type { BranchCause } from './events.js';
import type { BranchRequest, PlanFacts, PlanProblem } from './request.js';

/** What each cause may change (`capabilities.md` §6). */
const allowed: Readonly<Record<BranchCause, readonly string[]>> = {
  retry_modified: ['input', 'steps'],
  fallback: ['steps'],
  reduced_scope: ['scope'],
  override: ['input', 'steps', 'outputs', 'skip'],
  correction: ['input', 'steps', 'outputs'],
  what_if: ['input', 'steps', 'outputs', 'skip', 'scope'],
};
/** Parts of a step's work that a change may name. */
const OF_STEP = ['queue', 'input', 'params', 'guidance'];
/** Characters of what a person wants to be different: as much as a review takes. */
const GUIDANCE_MAX = 4_000;
/** Named by the design, and not run yet. */
const LATER = ['budget', 'definition'];
const OF_STEP_LATER = ['timeout', 'retry', 'deadline'];

/** Whether the cause runs at all. */
export function causesOf({ cause, reason, shadow }: BranchRequest): PlanProblem[] {
  const problems: PlanProblem[] = [];
  if (cause === 'what_if' && shadow !== true)
    problems.push({ pointer: '/shadow', rule: 'required', says: 'what_if is asked with shadow: true: it never acts' });
  if (cause !== 'what_if' && shadow === true)
    problems.push({ pointer: '/cause', rule: 'shadow', says: `a shadow is opened with cause what_if, not ${cause}` });
  if (reason.trim().length === 0)
    problems.push({ pointer: '/reason', rule: 'required', says: 'say why: it stands in the history for good' });
  return problems;
}

/** Whether each change is one that the cause may make, names what is there, and fits. */
export function problemsOfChanges(facts: PlanFacts, request: BranchRequest): PlanProblem[] {
  return (request.changes ?? []).flatMap((op, i) => {
    const says = problemOf(facts, request, op);
    return says === undefined ? [] : [{ pointer: `/changes/${i}`, ...says }];
  });
}

interface Says {
  readonly rule: string;
  readonly says: string;
}

function problemOf(facts: PlanFacts, request: BranchRequest, op: JsonPatchOp): Says | undefined {
  const [slice = '', name = '', part = ''] = pointerParts(op.path);
  if (LATER.includes(slice)) return { rule: 'not_yet', says: `/${slice} cannot be changed yet in this release` };
  if (!Object.values(allowed).some((slices) => slices.includes(slice)))
    return { rule: 'path', says: 'a change names /input, /steps/<id>/(queue|input|params), /outputs/<step>, /skip/<id> or /scope' };
  if (!allowed[request.cause].includes(slice))
    return { rule: 'cause', says: `${request.cause} may change ${allowed[request.cause].map((one) => `/${one}`).join(', ') || 'nothing'}` };
  const isWhole = pointerParts(op.path).length <= (WHOLE_PARTS[slice] ?? 2);
  if (isWhole && op.op === 'remove') return { rule: 'op', says: 'what a step or the run is given can be replaced, and not be taken away' };
  switch (slice) {
    case 'input':
      return inputProblem(facts, request);
    case 'scope':
      return scopeProblem(facts, 'value' in op ? op.value : undefined);
    case 'steps':
      return stepProblem(facts, request, op, { id: name, part });
    default:
      return settledProblem(facts, op, { slice, name, isWhole });
  }
}

/** `/input`, `/scope`; `/outputs/<step>`, `/skip/<step>`; `/steps/<id>/<part>`: the whole of what may be changed there. */
const WHOLE_PARTS: Readonly<Record<string, number>> = { input: 1, scope: 1, outputs: 2, skip: 2, steps: 3 };

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

function inputProblem({ plan, parent }: PlanFacts, { changes = [] }: BranchRequest): Says | undefined {
  const before = parent.started?.input ?? null;
  const after = changedInput(before, changes);
  if (after === before) return { rule: 'path_missing', says: 'the input has nothing there' };
  const [breach] = plan.validateInput(after);
  return breach === undefined ? undefined : { rule: breach.rule, says: `input${breach.pointer}: ${breach.says}` };
}

function scopeProblem({ plan, head }: PlanFacts, id: unknown): Says | undefined {
  const left = plan.reduced.filter((one) => !head.path.reduced.includes(one.id)).map((one) => one.id);
  return typeof id === 'string' && left.includes(id)
    ? undefined
    : { rule: 'unknown-ref', says: `no reduced path is left as that; there is ${left.join(', ') || 'none'}` };
}

function stepProblem(
  { plan, parent }: PlanFacts,
  request: BranchRequest,
  op: JsonPatchOp,
  { id, part }: { readonly id: string; readonly part: string },
): Says | undefined {
  const step = plan.step(id);
  if (step === undefined) return { rule: 'unknown-ref', says: `there is no step ${id}` };
  if (OF_STEP_LATER.includes(part)) return { rule: 'not_yet', says: `${part} of a step cannot be changed yet in this release` };
  if (!OF_STEP.includes(part)) return { rule: 'path', says: 'of a step queue, input, params and guidance can be changed' };
  if (step.kind !== 'task' && step.kind !== 'effect') return { rule: 'kind', says: `${id} is a ${step.kind}: it has no ${part} to change` };
  const entry = parent.path.steps.get(id);
  if (entry?.status === 'succeeded' || entry?.status === 'skipped')
    return { rule: 'settled', says: `${id} is done at the fork and does not run again: fork before it` };
  if (part === 'queue' && ('value' in op ? typeof op.value !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(op.value) : true))
    return { rule: 'type', says: 'a queue is a name' };
  if (part === 'guidance' && ('value' in op ? typeof op.value !== 'string' || op.value.length > GUIDANCE_MAX : true))
    return { rule: 'type', says: `guidance is a text of at most ${GUIDANCE_MAX} characters` };
  if (request.cause === 'fallback' && part === 'queue' && 'value' in op && !step.fallback.some(({ queue }) => queue === op.value))
    return { rule: 'undeclared', says: `${id} declares ${step.fallback.map(({ queue }) => queue).join(', ') || 'no alternative'}` };
  if (entry?.work === undefined) return undefined; // Its work is made when it starts: what does not fit then fails it, visibly.
  const ops = [{ ...op, path: op.path.slice(`/steps/${id}`.length) }];
  const { problem } = changedWork(entry.work, ops);
  return problem === undefined ? undefined : { rule: 'path_missing', says: problem };
}
