import type { JsonPatchOp, PlannedReduced, PlannedStep } from '@cairn/domain-definition';
import { canon, type JsonObject } from '@cairn/kernel';
import { changedWork } from '../branches/evolve.js';
import type { PolicyBranch } from '../branches/supersede.js';
import type { Draft } from '../draft.js';
import { parseOccurrence } from '../state.js';
import type { RetryVerdict } from './events.js';

/** A way on that opens a branch, and what it changes: `{fallback: i}`, `{reduce: id}`, `{patch}` on the step's work. */
export interface WayOn {
  readonly decision: Extract<RetryVerdict, 'retry_modified' | 'fallback' | 'reduce_scope'>;
  readonly change?: JsonObject;
}

/** Why a branch is opened, for people, and the events that led here. */
export type Told = Pick<PolicyBranch, 'reason' | 'evidence'>;

/** The branch of a way on, or why it cannot be opened: what it names must be declared, and must fit the step's work. */
export function branchOf(draft: Draft, occurrence: string, way: WayOn, told: Told): PolicyBranch | { readonly refused: string } {
  const { step: id, part } = parseOccurrence(occurrence);
  if (part !== undefined)
    return { refused: `${occurrence} asks about an effect as it is: it has no alternative and is given nothing else` };
  const step = draft.plan.step(id);
  if (step === undefined) return { refused: `there is no step ${id}` };
  if (way.decision === 'reduce_scope') {
    const path = draft.plan.reduced.find((one) => one.id === way.change?.['reduce']);
    if (path === undefined || draft.state.path.reduced.includes(path.id)) return { refused: `no reduced path is left as ${shown(way)}` };
    return reducedTo(draft, path, told);
  }
  const ops = way.decision === 'fallback' ? fallbackOps(draft, step, occurrence, way.change) : patchOps(way.change);
  if ('refused' in ops) return ops;
  const { work } = draft.state.path.steps.get(occurrence) ?? {};
  const { problem } = work === undefined ? { problem: 'the step has no work' } : changedWork(work, ops);
  if (problem !== undefined) return { refused: `${shown(way)}: ${problem}` };
  const changes = ops.map((op) => ({ ...op, path: `/steps/${id}${op.path}` }));
  return { ...told, cause: way.decision, changes };
}

/** The branch on which the run completes with less, unless that would leave behind an effect that nobody knows of. */
export function reducedTo(draft: Draft, { id, drops }: PlannedReduced, told: Told): PolicyBranch | { readonly refused: string } {
  const inDoubt = drops.find((one) => isInDoubt(draft, one));
  if (inDoubt !== undefined) return { refused: `reduced path ${id} drops ${inDoubt}, and it is open whether its effect happens` };
  const changes: JsonPatchOp[] = [{ op: 'add', path: '/scope', value: id }];
  return { ...told, cause: 'reduced_scope', changes, dropped: new Set(drops) };
}

/** Alternatives of a step that no branch of this path has taken, by index: whoever opened it, its changes say so. */
export function alternativesLeft(draft: Draft, step: PlannedStep, occurrence: string): readonly number[] {
  const changed = draft.state.path.changed.get(step.id) ?? [];
  return step.fallback.flatMap((_, index) => {
    const ops = fallbackOps(draft, step, occurrence, { fallback: index });
    return 'refused' in ops || isTaken(changed, ops) ? [] : [index];
  });
}

/** A branch gives queue and params one behind the other. */
function isTaken(changed: readonly JsonPatchOp[], [queue, params]: readonly JsonPatchOp[]): boolean {
  return changed.some((op, i) => {
    if (queue === undefined || canon({ ...op }) !== canon({ ...queue })) return false;
    const next = changed[i + 1];
    return params === undefined ? next?.path !== '/params' : next !== undefined && canon({ ...next }) === canon({ ...params });
  });
}

/** An effect of the step is under way, or nobody knows what it did: it is never left behind in silence (I-17). */
const isInDoubt = ({ state }: Draft, step: string): boolean =>
  [...state.ledger.effects.values()].some(
    (effect) => effect.step === step && (effect.status === 'intended' || effect.status === 'unknown'),
  );

const shown = ({ change }: WayOn): string => JSON.stringify(change ?? null);

/** What a declared alternative changes about a step's work. */
export function fallbackOps(
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
