import { applyPatch, pointerParts, type JsonPatchOp } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import type { Envelope, RunEvent } from '../events.js';
import { isBlocking } from '../recovery/evolve.js';
import { parseOccurrence, type BranchEntry, type Path, type RunState, type StepEntry, type StepOutput, type StepWork } from '../state.js';
import { closedAs, isOpenReview, unblocked } from '../reviews/evolve.js';
import { count, outputOf, settle } from '../steps/evolve.js';
import { ended } from '../lifecycle/evolve.js';
import type { BranchOpened, BranchSuperseded, ShadowStop, StepStubbed } from './events.js';
import { lessonOf } from './lesson.js';
import { ofWork } from './rules.js';

/** Folds where a run goes on: the table of branches, and what a branch begins with. */
export function evolveBranches(state: RunState, event: RunEvent, { causationId, at }: Pick<Envelope, 'causationId' | 'at'>): RunState {
  switch (event.type) {
    case 'BranchSuperseded':
      return superseded(state, event.data, causationId);
    case 'BranchOpened':
      return opened(state, event.data);
    case 'ShadowOpened':
      return announced(state, event.data.branch, causationId);
    case 'StepStubbed':
      return stubbed(settle(state, event.data.step, event.data.skipped === true ? 'skipped' : 'succeeded', stubOf(event.data)), event.data);
    case 'ShadowEnded': {
      const { outcome, stops } = event.data;
      const problem = stops[0] === undefined ? {} : { problem: { ...stepOf(stops[0]), message: stops.map(({ says }) => says).join('; ') } };
      return ended(state, { outcome, at, output: outputOf(event.data), ...problem });
    }
    case 'BranchAbandoned':
      return ended(state, { outcome: 'abandoned', at, problem: { message: event.data.reason } });
    default:
      return state;
  }
}

/** The name of the next branch: `b2`, `b3`, … in order. */
export const nextBranch = ({ ledger }: RunState): string => `b${ledger.branches.size + 1}`;

/** Branches that the run may have, without asking anybody: `limits.branches` of its definition. */
export const branchesMax = ({ started }: RunState): number => started?.limits.branches ?? 0;

/** Whether the run may open one more unasked. */
export const mayBranch = (state: RunState): boolean => state.ledger.branches.size < branchesMax(state);

/** The old head hands on its place. */
function superseded(state: RunState, data: BranchSuperseded['data'], causationId: string): RunState {
  const { branches, epoch, controls } = state.ledger;
  const old: BranchEntry = { ...(branches.get(state.branch) ?? { epoch, ended: false }), head: false };
  const successor: BranchEntry = { head: true, epoch: epoch + 1, ended: false };
  return {
    ...state,
    superseded: data,
    ledger: {
      ...state.ledger,
      branches: branches.set(state.branch, old).set(data.successor, successor),
      controls: [...controls, causationId],
    },
  };
}

/** A shadow has a name. The head goes on. */
function announced(state: RunState, branch: string, causationId: string): RunState {
  const { branches, epoch, controls } = state.ledger;
  const entry: BranchEntry = { head: false, epoch, ended: false, shadow: true };
  return { ...state, ledger: { ...state.ledger, branches: branches.set(branch, entry), controls: [...controls, causationId] } };
}

function stubbed(state: RunState, { step, from }: StepStubbed['data']): RunState {
  if (state.shadow === null || !isOfNothing(from)) return state;
  return { ...state, shadow: { ...state.shadow, stubbed: state.shadow.stubbed ?? step } };
}

/** Whether what the step took is the result of something that the shadow's path never did. */
export const isOfNothing = (from: StepStubbed['data']['from']): boolean => from !== 'head';

const stubOf = (data: StepStubbed['data']): StepOutput | null => (data.skipped === true ? null : outputOf(data));
const stepOf = ({ step }: ShadowStop): { step?: string } => (step === undefined ? {} : { step });

/** The parent's path less what is open and not carried, with the changes. */
function opened(state: RunState, data: BranchOpened['data']): RunState {
  const { carried, changes, effectsChoices } = data;
  const open = withoutOpenReviews(withoutOpenAttempts(state.path, new Set(carried.attempts)), new Set(carried.reviews));
  const owed = withoutOwed(withoutOpenWaits(open, new Set(carried.waits)), new Set(carried.failures));
  // What an earlier branch has chosen and not used yet is still so, unless it is chosen otherwise.
  let choices = owed.choices;
  for (const [key, choice] of Object.entries(effectsChoices)) choices = choices.set(key, choice);
  let events = owed.carried;
  for (const one of state.received)
    events = carried.events.includes(one.eventId) ? events.set(one.eventId, one) : events.delete(one.eventId);
  return {
    ...state,
    opened: data,
    received: [],
    left: null,
    lesson: state.left === null ? null : lessonOf(data, state.branch, state.left, state.lesson),
    started:
      state.started === null
        ? null
        : {
            ...state.started,
            input: changedInput(state.started.input, changes),
            definition: data.definition ?? state.started.definition,
            policies: data.policies === undefined ? state.started.policies : [...state.started.policies, ...data.policies],
          },
    path: {
      ...withChanges(owed, changes),
      choices,
      carried: events,
      verdicts: state.left?.verdicts.filter(({ reviewId }) => carried.verdicts?.includes(reviewId) === true) ?? [],
    },
  };
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

function withoutOpenReviews(path: Path, carried: ReadonlySet<string>): Path {
  let { reviews, counts } = path;
  for (const [reviewId, review] of path.reviews.entries()) {
    if (!isOpenReview(review) || carried.has(reviewId)) continue;
    reviews = reviews.set(reviewId, { ...review, status: 'withdrawn' });
    counts = count(counts, closedAs(review));
  }
  return { ...path, reviews, counts };
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

function withoutOwed(path: Path, carried: ReadonlySet<string>): Path {
  let { retries, counts } = path;
  for (const [attemptId, entry] of path.retries.entries()) {
    if (entry.settled || carried.has(attemptId)) continue;
    retries = retries.set(attemptId, { ...entry, settled: true });
    const blocked = isBlocking(entry.decision);
    counts = count(counts, blocked ? { blocked: -1, unknown: entry.unknown === true ? -1 : 0 } : { retriesOwed: -1 });
  }
  return { ...path, retries, counts };
}

/** The input of the run as the branch has it. What cannot be changed stays: the planner has refused it before. */
export function changedInput(input: Json, changes: readonly JsonPatchOp[]): Json {
  const ops = changes.flatMap((op) => (pointerParts(op.path)[0] === 'input' ? [{ ...op, path: op.path.slice('/input'.length) }] : []));
  const patched = ops.length === 0 ? undefined : applyPatch(input, ops);
  return patched?.ok === true ? patched.value : input;
}

function withChanges(path: Path, changes: readonly JsonPatchOp[]): Path {
  let { changed, steps, reduced, skips, reviews, counts } = path;
  for (const op of changes) {
    const [slice, name = ''] = pointerParts(op.path);
    if (slice === 'scope' && op.op !== 'remove') reduced = [...reduced, String(op.value)];
    if (slice === 'skip') skips = [...skips, name];
    if (slice === 'outputs' && op.op !== 'remove') {
      const before = steps.get(name);
      if (before?.output !== null && before?.output !== undefined && 'ref' in before.output) counts = count(counts, { refs: -1 });
      ({ reviews, counts } = unblocked({ ...path, reviews, counts }, name));
      steps = steps.set(name, { status: 'succeeded', attempts: before?.attempts ?? 0, output: { value: op.value } });
    }
    if (slice === 'steps')
      changed = changed.set(name, [...(changed.get(name) ?? []), { ...op, path: op.path.slice(`/steps/${name}`.length) }]);
  }
  // What has its work already and is not settled goes on with the changed one; what starts later takes the change then.
  for (const [occurrence, entry] of steps.entries()) {
    const { step } = parseOccurrence(occurrence);
    const ops = changed.get(step)?.slice(path.changed.get(step)?.length ?? 0);
    if (entry.work !== undefined && ops !== undefined && ops.length > 0)
      steps = steps.set(occurrence, withWork(entry, changedWork(entry.work, ops)));
  }
  return { ...path, changed, steps, reduced, skips, reviews, counts };
}

const withWork = (entry: StepEntry, { work }: ChangedWork): StepEntry => ({ ...entry, work });

export interface ChangedWork {
  readonly work: StepWork;
  /** A change that cannot be made here: the work is as it was. */
  readonly problem?: string;
  /** Of that problem. */
  readonly rule?: string;
}

/** A step's work as branches have changed it. */
export function changedWork(work: StepWork, all: readonly JsonPatchOp[] | undefined): ChangedWork {
  const ops = ofWork(all);
  if (ops === undefined || ops.length === 0) return { work };
  const { queue, input, params, guidance } = work;
  const patched = applyPatch({ queue, input, params, ...(guidance === undefined ? {} : { guidance }) }, ops);
  if (!patched.ok) return { work, problem: `changes/${patched.index}: ${patched.says}`, rule: patched.rule };
  const { guidance: _, ...rest } = work;
  const value = patched.value as unknown as Pick<StepWork, 'queue' | 'input' | 'params' | 'guidance'>;
  const told = value.guidance === undefined ? {} : { guidance: value.guidance };
  return { work: { ...rest, queue: value.queue, input: value.input, params: value.params, ...told } };
}
