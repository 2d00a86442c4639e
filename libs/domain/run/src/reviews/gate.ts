import type { PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { epochMsOf, type Json } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import type { ReviewEntry } from '../state.js';
import { isApproved, isOpenReview, reviewsOf } from './evolve.js';
import { editor, subjectOf } from './subject.js';

/** Whether a guarded step may start: with its input as it was approved, after an answer, or only after asking (again). */
export type Gate =
  | { readonly kind: 'open'; readonly edit: (input: Json) => Json }
  | { readonly kind: 'held' }
  | { readonly kind: 'ask'; readonly step: PlannedStep; readonly review: PlannedReview; readonly previous?: string };

const asItIs = (input: Json): Json => input;

/**
 * Checked right before a guarded step starts (I-23): every review that guards it has approved exactly what would run now, and not too long
 * ago. A review that its own `when` skipped guards nothing. Anything else asks again: an old approval never runs a changed proposal.
 */
export function gateOf(draft: Draft, step: PlannedStep): Gate {
  let edit = asItIs;
  for (const id of step.guardedBy) {
    const asking = draft.plan.step(id);
    const review = asking?.review;
    if (asking === undefined || review === undefined || draft.state.path.steps.get(id)?.status === 'skipped') continue;
    const all = reviewsOf(draft.state, id);
    if (all.some(([, entry]) => isOpenReview(entry))) return { kind: 'held' };
    const [previous, last] = all.at(-1) ?? [];
    const edited = editor(review, last?.edits ?? null);
    const approved =
      last !== undefined && isStillApproved(draft, last) ? last.subjects.find((subject) => subject.step === step.id) : undefined;
    if (last === undefined || approved?.digest !== subjectOf(draft, step, edited).digest)
      return { kind: 'ask', step: asking, review, ...(previous === undefined ? {} : { previous }) };
    if (last.edits !== null) edit = edited;
  }
  return { kind: 'open', edit };
}

/** Approved, and not too long ago for what was known then. */
const isStillApproved = ({ context }: Draft, review: ReviewEntry): boolean =>
  isApproved(review) && review.decidedAt !== null && context.now < epochMsOf(review.decidedAt) + review.receiptTtlMs;
