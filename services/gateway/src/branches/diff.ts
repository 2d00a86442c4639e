import type { BranchDiffEffect, BranchDiffSide, BranchDiffStep, BranchDiffView, EffectView } from '@cairn/contracts';
import type { BranchOpened, BranchPoint, RunEvent } from '@cairn/domain-run';
import { canon, epochMsOf, isBranch, type Id, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { effectsOf } from '../queries/show-effects.js';
import type { WholeRun } from '../queries/whole-run.js';
import { failureOn, outcomeOf } from './branches.js';
import { secondsOf, stepsOf, usdOf } from './path-steps.js';

type Stored = StoredEvent & RunEvent;

/** `GET runs/{id}/branches/{a}...{b}/diff`. */
export async function showDiff(
  { reader }: { readonly reader: RunReader },
  ns: string,
  run: Id,
  range: string,
  query: Query,
): Promise<BranchDiffView> {
  readQuery(query, []);
  const [a = '', b = '', ...more] = range.split('...');
  if (!isBranch(a) || !isBranch(b) || more.length > 0) invalidParameter('range', 'must be two branches, such as main...b2');
  return diffOf(await reader.whole(ns, run), a, b);
}

/** What is different between the paths of two branches, and nothing else: of a branch with itself, nothing. */
export function diffOf(whole: WholeRun, a: string, b: string): BranchDiffView {
  const [pathA, pathB] = [pathOf(whole, a), pathOf(whole, b)];
  const shared = pathA.filter(({ branch }, i) => pathB[i]?.branch === branch).length;
  const fork = Math.max(0, shared - 1);
  const common = pathA[fork] ?? { branch: a, revision: 0 };
  const [eventsA, eventsB] = [eventsOn(whole, pathA), eventsOn(whole, pathB)];
  const { steps, same } = stepRows(stepsOf(eventsA), stepsOf(eventsB));
  return {
    run: whole.run,
    a: sideOf(whole, a, eventsA),
    b: sideOf(whole, b, eventsB),
    ancestor: { branch: common.branch, revision: Math.min(common.revision, pathB[fork]?.revision ?? 0) },
    changes: [...changesOf(whole, 'a', pathA.slice(shared)), ...changesOf(whole, 'b', pathB.slice(shared))],
    steps,
    same,
    effects: effectRows(effectsIn(whole, eventsA), effectsIn(whole, eventsB)),
  };
}

/** What led to a branch's end, from the first branch on: each up to where the next one grows. */
export function pathOf(whole: WholeRun, name: string): readonly BranchPoint[] {
  const last = whole.eventsOf(name).length - 1;
  if (last < 0) refuse('revision_not_found', `Branch ${name} is announced and not opened yet: it has no revision.`);
  const path: BranchPoint[] = [{ branch: name, revision: last }];
  for (let opened = openedOf(whole, name); opened !== undefined; opened = openedOf(whole, opened.parent.branch))
    path.unshift(opened.parent);
  return path;
}

function openedOf(whole: WholeRun, branch: string): BranchOpened['data'] | undefined {
  const [first] = whole.eventsOf(branch);
  return first?.type === 'BranchOpened' ? (first.data as unknown as BranchOpened['data']) : undefined;
}

export const eventsOn = (whole: WholeRun, path: readonly BranchPoint[]): readonly Stored[] =>
  path.flatMap(({ branch, revision }) => whole.eventsOf(branch).slice(0, revision + 1)) as readonly Stored[];

function sideOf(whole: WholeRun, branch: string, events: readonly Stored[]): BranchDiffSide {
  const own = whole.eventsOf(branch);
  const { outcome, endedAt } = outcomeOf(own);
  const failure = failureOn(whole, branch);
  const last = own.at(-1);
  const [started] = events;
  return {
    branch,
    revision: last?.revision ?? 0,
    outcome,
    ...(failure === undefined ? {} : { failure }),
    attempts: events.filter(({ type }) => type === 'StepStarted').length,
    usd: usdOf(events),
    seconds: started === undefined || last === undefined ? 0 : secondsOf(epochMsOf(endedAt ?? last.at) - epochMsOf(started.at)),
  };
}

function changesOf(whole: WholeRun, side: 'a' | 'b', path: readonly BranchPoint[]): BranchDiffView['changes'][number][] {
  return path.flatMap(({ branch }) => {
    const opened = openedOf(whole, branch);
    if (opened === undefined) return [];
    const { parent, cause, reason, actor, changes, effectsChoices: effects } = opened;
    return [{ side, branch, parent, cause, reason, actor, changes: changes as unknown as readonly JsonObject[], effects }];
  });
}

/** Aligned by occurrence, in the order in which they came up. */
function stepRows(a: ReadonlyMap<string, BranchDiffStep>, b: ReadonlyMap<string, BranchDiffStep>): Pick<BranchDiffView, 'steps' | 'same'> {
  const all = [...new Set([...a.keys(), ...b.keys()])];
  const rows = all.map((step) => {
    const [sideA, sideB] = [a.get(step) ?? null, b.get(step) ?? null];
    const differs = fields.filter((field) => !equal(sideA?.[field], sideB?.[field]) && !isTakenOver(field, sideA, sideB));
    return { step, differs, a: sideA, b: sideB };
  });
  const steps = rows.filter(({ differs, a: sideA, b: sideB }) => differs.length > 0 || sideA === null || sideB === null);
  return { steps, same: rows.length - steps.length };
}

const fields = ['queue', 'input', 'params', 'attempts', 'outcome', 'verdict', 'output', 'failure', 'usd', 'seconds'] as const;
const equal = (a: unknown, b: unknown): boolean =>
  a === undefined ? b === undefined : b !== undefined && canon(a as Json) === canon(b as Json);

/** A shadow that took over what the head got there has no output of its own to tell apart. */
const isTakenOver = (field: keyof BranchDiffStep, a: BranchDiffStep | null, b: BranchDiffStep | null): boolean =>
  field === 'output' && [a, b].some((side) => side?.outcome === 'stubbed' && side.output === undefined);

type Effects = ReadonlyMap<string, BranchDiffEffect>;

/** What a path did to the world outside, and what it took from a path that had done it before. */
function effectsIn(whole: WholeRun, events: readonly Stored[]): Effects {
  const found = new Map<string, BranchDiffEffect>();
  const take = ({ key, status, suffix, fingerprint }: EffectView, as: BranchDiffEffect['status'] = status): void =>
    void found.set(key, { status: as, suffix, fingerprint });
  for (const effect of effectsOf(whole.run, events)) take(effect);
  const reused = new Set(events.flatMap((event) => (event.type === 'BranchOpened' ? reusedBy(event.data) : [])));
  const done = new Set(events.flatMap((event) => (event.type === 'StepSucceeded' ? [event.data.step] : [])));
  for (const effect of effectsOf(whole.run, whole.events))
    if (reused.has(effect.key) && !found.has(effect.key) && done.has(effect.step)) take(effect, 'reused');
  return found;
}

const reusedBy = ({ effectsChoices }: BranchOpened['data']): string[] =>
  Object.entries(effectsChoices).flatMap(([key, choice]) => (choice === 'reuse' ? [key] : []));

function effectRows(a: Effects, b: Effects): BranchDiffView['effects'] {
  const rows = [...new Set([...a.keys(), ...b.keys()])].map((key) => ({ key, a: a.get(key) ?? null, b: b.get(key) ?? null }));
  return rows.filter((row) => canon(row.a as unknown as Json) !== canon(row.b as unknown as Json));
}
