import type { BranchDiffEffect, BranchDiffSide, BranchDiffStep, BranchDiffView, EffectView } from '@cairn/contracts';
import type { BranchOpened, BranchPoint, RunEvent } from '@cairn/domain-run';
import { canon, epochMsOf, isBranch, type Id, type Json, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { invalidParameter, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { effectsOf } from '../queries/show-effects.js';
import type { WholeRun } from '../queries/whole-run.js';
import { outcomeOf } from './branches.js';
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
    effects: effectRows(effectsOf(whole.run, eventsA), effectsOf(whole.run, eventsB)),
  };
}

/** What led to a branch's end, from the first branch on: each up to where the next one grows. */
function pathOf(whole: WholeRun, name: string): readonly BranchPoint[] {
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

const eventsOn = (whole: WholeRun, path: readonly BranchPoint[]): readonly Stored[] =>
  path.flatMap(({ branch, revision }) => whole.eventsOf(branch).slice(0, revision + 1)) as readonly Stored[];

function sideOf(whole: WholeRun, branch: string, events: readonly Stored[]): BranchDiffSide {
  const last = whole.eventsOf(branch).at(-1);
  const [started] = events;
  return {
    branch,
    revision: last?.revision ?? 0,
    outcome: outcomeOf(whole.eventsOf(branch)).outcome,
    attempts: events.filter(({ type }) => type === 'StepStarted').length,
    usd: usdOf(events),
    seconds: started === undefined || last === undefined ? 0 : secondsOf(epochMsOf(last.at) - epochMsOf(started.at)),
  };
}

function changesOf(whole: WholeRun, side: 'a' | 'b', path: readonly BranchPoint[]): BranchDiffView['changes'][number][] {
  return path.flatMap(({ branch }) => {
    const opened = openedOf(whole, branch);
    if (opened === undefined) return [];
    const { parent, cause, reason, actor, changes } = opened;
    return [{ side, branch, parent, cause, reason, actor, changes: changes as unknown as readonly JsonObject[] }];
  });
}

/** Aligned by occurrence, in the order in which they came up. */
function stepRows(a: ReadonlyMap<string, BranchDiffStep>, b: ReadonlyMap<string, BranchDiffStep>): Pick<BranchDiffView, 'steps' | 'same'> {
  const all = [...new Set([...a.keys(), ...b.keys()])];
  const rows = all.map((step) => {
    const [sideA, sideB] = [a.get(step) ?? null, b.get(step) ?? null];
    return { step, differs: fields.filter((field) => !equal(sideA?.[field], sideB?.[field])), a: sideA, b: sideB };
  });
  const steps = rows.filter(({ differs, a: sideA, b: sideB }) => differs.length > 0 || sideA === null || sideB === null);
  return { steps, same: rows.length - steps.length };
}

const fields = ['queue', 'input', 'params', 'attempts', 'outcome', 'output', 'failure', 'usd', 'seconds'] as const;
const equal = (a: unknown, b: unknown): boolean =>
  a === undefined ? b === undefined : b !== undefined && canon(a as Json) === canon(b as Json);

function effectRows(a: readonly EffectView[], b: readonly EffectView[]): BranchDiffView['effects'] {
  const keys = [...new Set([...a, ...b].map(({ key }) => key))];
  const rows = keys.map((key) => ({ key, a: effectIn(a, key), b: effectIn(b, key) }));
  return rows.filter((row) => !equal(row.a, row.b));
}

function effectIn(effects: readonly EffectView[], wanted: string): BranchDiffEffect | null {
  const found = effects.find(({ key }) => key === wanted);
  return found === undefined ? null : { status: found.status, suffix: found.suffix, fingerprint: found.fingerprint };
}
