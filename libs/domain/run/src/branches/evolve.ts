import type { JsonPatchOp } from '@cairn/domain-definition';
import { applyPatch } from '@cairn/domain-definition';
import type { RunEvent } from '../events.js';
import { parseOccurrence, type BranchEntry, type Path, type RunState, type StepEntry, type StepWork } from '../state.js';
import { count } from '../steps/evolve.js';
import type { BranchOpened, BranchSuperseded } from './events.js';

/** Folds where a run goes on: the table of branches, and what a branch begins with. */
export function evolveBranches(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'BranchSuperseded':
      return superseded(state, event.data);
    case 'BranchOpened':
      return { ...state, opened: event.data, path: openedPath(state.path, event.data) };
    default:
      return state;
  }
}

/** The name of the next branch: `b2`, `b3`, … in order. */
export const nextBranch = ({ ledger }: RunState): string => `b${ledger.branches.size + 1}`;

/** The old head hands on its place. */
function superseded(state: RunState, data: BranchSuperseded['data']): RunState {
  const { branches, epoch } = state.ledger;
  const old: BranchEntry = { ...(branches.get(state.branch) ?? { epoch, ended: false }), head: false };
  const successor: BranchEntry = { head: true, epoch: epoch + 1, ended: false };
  return {
    ...state,
    superseded: data,
    ledger: { ...state.ledger, branches: branches.set(state.branch, old).set(data.successor, successor) },
  };
}

/** The parent's path less what is open and not carried, with the changes. */
function openedPath(parent: Path, { carried, changes }: BranchOpened['data']): Path {
  return withChanges(withoutOpenWaits(withoutOpenAttempts(parent, new Set(carried.attempts)), new Set(carried.waits)), changes);
}

function withoutOpenAttempts(path: Path, carried: ReadonlySet<string>): Path {
  let { attempts, closed, counts } = path;
  for (const [attemptId, { step, n }] of path.attempts.entries()) {
    if (carried.has(attemptId)) continue;
    attempts = attempts.delete(attemptId);
    if (!closed.has(attemptId)) closed = closed.set(attemptId, { step, replyId: null });
    counts = count(counts, n === 1 ? { firstAttempts: -1 } : { laterAttempts: -1 });
  }
  return { ...path, attempts, closed, counts };
}

function withoutOpenWaits(path: Path, carried: ReadonlySet<string>): Path {
  let { waits, counts } = path;
  for (const [waitId, wait] of path.waits.entries()) {
    if (!wait.open || carried.has(waitId)) continue;
    waits = waits.set(waitId, { ...wait, open: false });
    counts = count(counts, { openWaits: -1 });
  }
  return { ...path, waits, counts };
}

function withChanges(path: Path, changes: readonly JsonPatchOp[]): Path {
  let { changed, steps, reduced } = path;
  for (const op of changes) {
    const [, slice, step = '', ...rest] = op.path.split('/');
    if (slice === 'scope' && op.op !== 'remove') reduced = [...reduced, String(op.value)];
    if (slice !== 'steps') continue;
    changed = changed.set(step, [...(changed.get(step) ?? []), { ...op, path: `/${rest.join('/')}` }]);
  }
  if (changed === path.changed) return { ...path, reduced };
  // What has its work already and is not settled goes on with the changed one; what starts later takes the change then.
  for (const [occurrence, entry] of path.steps.entries()) {
    const ops = changed.get(parseOccurrence(occurrence).step);
    if (entry.work === undefined || ops === undefined || ops === path.changed.get(parseOccurrence(occurrence).step)) continue;
    steps = steps.set(occurrence, withWork(entry, changedWork(entry.work, newIn(path, occurrence, ops))));
  }
  return { ...path, changed, steps, reduced };
}

/** Those of a step's changes that this branch brings. */
const newIn = (path: Path, occurrence: string, ops: readonly JsonPatchOp[]): readonly JsonPatchOp[] =>
  ops.slice(path.changed.get(parseOccurrence(occurrence).step)?.length ?? 0);

const withWork = (entry: StepEntry, { work }: ChangedWork): StepEntry => ({ ...entry, work });

export interface ChangedWork {
  readonly work: StepWork;
  /** A change that cannot be made here: the work is as it was. */
  readonly problem?: string;
}

/** A step's work as branches have changed it. */
export function changedWork(work: StepWork, ops: readonly JsonPatchOp[] | undefined): ChangedWork {
  if (ops === undefined || ops.length === 0) return { work };
  const { queue, input, params } = work;
  const patched = applyPatch({ queue, input, params }, ops);
  if (!patched.ok) return { work, problem: `changes/${patched.index}: ${patched.says}` };
  const value = patched.value as unknown as Pick<StepWork, 'queue' | 'input' | 'params'>;
  return { work: { ...work, queue: value.queue, input: value.input, params: value.params } };
}
