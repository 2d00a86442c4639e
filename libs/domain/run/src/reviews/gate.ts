import type { PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { epochMsOf, type Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import type { ReviewEntry } from '../state.js';
import { isApproved, isOpenReview, reviewsOf } from './evolve.js';
import { begunWork, editor, subjectOf } from './subject.js';

/** Whether a guarded step may start: with its input as it was approved, after an answer, or only after asking (again). */
export type Gate =
  | { readonly kind: 'open'; readonly edit: (input: Json) => Json }
  | { readonly kind: 'held' }
  | { readonly kind: 'ask'; readonly step: PlannedStep; readonly review: PlannedReview; readonly previous?: string };

const asItIs = (input: Json): Json => input;

/**
 * Checked right before a guarded step starts (I-23): every review that guards it has approved exactly what would run now, and not too long
 * ago. A review that its own `when` skipped guards nothing. Anything else asks again: an old approval never runs a changed proposal. What
 * has begun was approved in time; it is asked for again only where a branch has changed it.
 */
export function gateOf(draft: Draft, step: PlannedStep): Gate {
  const begun = begunWork(draft, step) !== undefined;
  const plain = subjectOf(draft, step).digest;
  let edit = asItIs;
  for (const id of step.guardedBy) {
    const asking = draft.plan.step(id);
    const review = asking?.review;
    if (asking === undefined || review === undefined || isSkippedByCondition(draft, id)) continue;
    const all = reviewsOf(draft.state, id);
    if (all.some(([, entry]) => isOpenReview(entry))) return { kind: 'held' };
    const [previous, last] = all.at(-1) ?? [];
    const subject = last !== undefined && isApproved(last) ? last.subjects.find((one) => one.step === step.id) : undefined;
    if (begun && subject?.digest === plain) continue;
    if (last === undefined || subject?.asked !== plain || !isFresh(draft, last))
      return { kind: 'ask', step: asking, review, ...(previous === undefined ? {} : { previous }) };
    if (last.edits !== null) edit = editor(review, last.edits);
  }
  return { kind: 'open', edit };
}

/** Its own `when` did not hold. A reduced path that drops the review does not drop what it guards against. */
const isSkippedByCondition = ({ state: { path } }: Draft, id: string): boolean =>
  path.steps.get(id)?.status === 'skipped' && !path.scope.has(id);

/** Approved not too long ago for what was known then. */
const isFresh = ({ context }: Draft, { decidedAt, receiptTtlMs }: ReviewEntry): boolean =>
  decidedAt !== null && context.now < epochMsOf(decidedAt) + receiptTtlMs;
