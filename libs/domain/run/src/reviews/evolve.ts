import type { Verdict } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import type { Envelope, RunEvent } from '../events.js';
import { count, GRANT, settle } from '../steps/evolve.js';
import { decidedByPeople } from '../recovery/evolve.js';
import { parseOccurrence, type Counts, type Path, type ReviewEntry, type ReviewStatus, type RunState } from '../state.js';
import { isEnough, waitIdOf } from '../waits/evolve.js';
import type { ReviewId, VerdictApplied } from './events.js';

/** Folds what reviews leave in the path. */
export function evolveReviews(state: RunState, event: RunEvent, envelope: Envelope): RunState {
  switch (event.type) {
    case 'ReviewRequested': {
      const { reviewId, step, n, why, subjectDigest, subjects, receiptTtl, attemptId, options } = event.data;
      const entry: ReviewEntry = {
        step,
        n,
        why,
        status: 'open',
        subjectDigest,
        offers: Object.fromEntries(options.map((option) => [option.verdict, option.then])),
        subjects: subjects.map(({ step: of, digest }) => ({ step: of, asked: digest, digest })),
        requestedAt: envelope.at,
        receiptTtlMs: receiptTtl,
        level: 0,
        decidedAt: null,
        decided: null,
        edits: null,
        ...(attemptId === undefined ? {} : { attemptId }),
      };
      const { step: id, turn } = parseOccurrence(step);
      const open = unblocked(state.path, step);
      // A turn that people are asked about is the loop's last one: nothing takes the one before it for its end.
      const path = turn === 0 || attemptId !== undefined ? open : { ...open, loops: open.loops.set(id, turn) };
      // Asked again for a step that is settled: it stays settled, what it authorises waits.
      const steps = path.steps.has(step) ? path.steps : path.steps.set(step, { status: 'waiting', attempts: 0, output: null });
      return {
        ...state,
        path: { ...path, steps, reviews: path.reviews.set(reviewId, entry), counts: count(path.counts, openedAs(entry)) },
      };
    }
    case 'ReviewEscalated': {
      const entry = openEntry(state, event.data.reviewId);
      if (entry === undefined) return state;
      const counts = count(state.path.counts, { escalatedReviews: isPassedUp(entry) ? 0 : 1 });
      return changed({ ...state, path: { ...state.path, counts } }, event.data.reviewId, {
        ...entry,
        status: 'escalated',
        level: event.data.level,
      });
    }
    case 'VerdictApplied': {
      const { reviewId, step, verdict, then, subjectDigest, edits, decided } = event.data;
      const entry = openEntry(state, reviewId);
      if (entry === undefined) return state;
      const [only] = entry.subjects;
      const closed = changed(shut(state, entry), reviewId, {
        ...entry,
        status: statusOf[verdict],
        subjectDigest,
        // An edit is of one subject, which then has another digest.
        subjects: edits === undefined || only === undefined ? entry.subjects : [{ ...only, digest: subjectDigest }],
        decidedAt: envelope.at,
        decided,
        edits: edits ?? null,
        blocks: then === 'block',
      });
      if (entry.attemptId !== undefined) return decidedByPeople(closed, entry.attemptId, then);
      if (then === 'block') {
        return { ...closed, path: { ...closed.path, counts: count(closed.path.counts, { blocked: 1 }) } };
      }
      if (then === 'again') return askedAgainBy(closed, step);
      if (then.startsWith(GRANT)) return granted(closed, step, Number(then.slice(GRANT.length)));
      const settled = settle(closed, step, 'succeeded', { value: outputOfVerdict(event.data) });
      if (!then.startsWith(SIDE)) return settled;
      return { ...settled, path: { ...settled.path, detours: settled.path.detours.set(step, then.slice(SIDE.length)) } };
    }
    case 'VerdictCarried': {
      const { reviewId, step, verdict, subjectDigest, subjects, edits, decidedAt, receiptTtl, decided } = event.data;
      const entry: ReviewEntry = {
        step,
        n: reviewsOf(state, step).length + 1,
        why: 'planned',
        status: statusOf[verdict],
        subjectDigest,
        offers: {},
        subjects,
        requestedAt: envelope.at,
        receiptTtlMs: receiptTtl,
        level: 0,
        decidedAt,
        decided,
        edits: edits ?? null,
        blocks: false,
      };
      const verdicts = state.path.verdicts.filter((one) => one.reviewId !== reviewId);
      const carried = { ...state, path: { ...state.path, verdicts, reviews: state.path.reviews.set(reviewId, entry) } };
      return settle(carried, step, 'succeeded', { value: outputOfVerdict(event.data) });
    }
    case 'ReviewWithdrawn': {
      const entry = openEntry(state, event.data.reviewId);
      return entry === undefined ? state : changed(shut(state, entry), event.data.reviewId, { ...entry, status: 'withdrawn' });
    }
    case 'StepSkipped':
      return { ...state, path: unblocked(state.path, event.data.step) };
    default:
      return state;
  }
}

/** How an outcome names the side step that runs. */
export const SIDE = 'step:';

const statusOf: { readonly [verdict in Verdict | 'expired']: ReviewStatus } = {
  approve: 'approved',
  edit: 'edited',
  revise: 'revised',
  reject: 'rejected',
  expired: 'expired',
};

/** It makes the run `escalated`: it was passed up, or is one that a policy asked for (`capabilities.md` §2.1). */
export const isPassedUp = ({ status, attemptId }: ReviewEntry): boolean => status === 'escalated' || attemptId !== undefined;
const openedAs = (entry: ReviewEntry): Partial<Counts> => ({ openReviews: 1, escalatedReviews: isPassedUp(entry) ? 1 : 0 });
/** What an open review counts no more. */
export const closedAs = (entry: ReviewEntry): Partial<Counts> => ({ openReviews: -1, escalatedReviews: isPassedUp(entry) ? -1 : 0 });

export const isOpenReview = ({ status }: ReviewEntry): boolean => status === 'open' || status === 'escalated';
export const isApproved = ({ status }: ReviewEntry): boolean => status === 'approved' || status === 'edited';

/** Reviews of one step on this path, the first one first. */
export function reviewsOf(state: RunState, step: string): readonly (readonly [ReviewId, ReviewEntry])[] {
  return [...state.path.reviews.entries()].filter(([, entry]) => entry.step === step).sort(([, a], [, b]) => a.n - b.n);
}

/** The path where nobody has to decide about the step any more: it has gone on without the verdict that was waited for. */
export function unblocked(path: Path, step: string): Path {
  if (path.counts.blocked === 0) return path;
  const found = [...path.reviews.entries()].find(([, entry]) => entry.step === step && entry.blocks === true);
  if (found === undefined) return path;
  const [reviewId, entry] = found;
  return { ...path, reviews: path.reviews.set(reviewId, { ...entry, blocks: false }), counts: count(path.counts, { blocked: -1 }) };
}

/** The wait that has named the review is to open again, and may name it once more: neither has happened here. */
function askedAgainBy(state: RunState, side: string): RunState {
  let { steps, detours, waits } = state.path;
  steps = steps.delete(side);
  for (const [step, named] of state.path.detours.entries()) {
    const waitId = waitIdOf(state, step);
    const wait = waits.get(waitId);
    if (named !== side || wait === undefined) continue;
    detours = detours.delete(step);
    if (wait.open) continue;
    steps = steps.delete(step);
    if (isEnough(wait)) waits = waits.set(waitId, { ...wait, got: [] }); // What had been enough is asked for anew.
  }
  return { ...state, path: { ...state.path, steps, detours, waits } };
}

/** The turn may start, with as many after it: it has not begun, and the loop stands where it stood before it was asked about. */
function granted(state: RunState, occurrence: string, more: number): RunState {
  const { step, turn } = parseOccurrence(occurrence);
  const loops = turn > 1 ? state.path.loops.set(step, turn - 1) : state.path.loops.delete(step);
  return {
    ...state,
    path: { ...state.path, steps: state.path.steps.delete(occurrence), loops },
    ledger: { ...state.ledger, granted: state.ledger.granted + more },
  };
}

/** What expressions read as the review's output. */
function outputOfVerdict({
  verdict,
  by,
  reason,
  edits,
  input,
}: Pick<VerdictApplied['data'], 'verdict' | 'by' | 'reason' | 'edits' | 'input'>): Json {
  return {
    by,
    reason,
    verdict,
    ...(edits === undefined ? {} : { edits: edits as unknown as Json }),
    ...(input === undefined ? {} : { input }),
  };
}

function openEntry(state: RunState, reviewId: ReviewId): ReviewEntry | undefined {
  const entry = state.path.reviews.get(reviewId);
  return entry !== undefined && isOpenReview(entry) ? entry : undefined;
}

const changed = (state: RunState, reviewId: ReviewId, entry: ReviewEntry): RunState => ({
  ...state,
  path: { ...state.path, reviews: state.path.reviews.set(reviewId, entry) },
});

const shut = (state: RunState, entry: ReviewEntry): RunState => ({
  ...state,
  path: { ...state.path, counts: count(state.path.counts, closedAs(entry)) },
});
