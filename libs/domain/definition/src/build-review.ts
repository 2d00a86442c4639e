import { verdicts, type ReviewDocument, type Verdict, type VerdictOutcome } from './document.js';
import { RECEIPT_TTL_DEFAULT_MS } from './limits.js';
import type { PlannedReview } from './plan.js';
import { STEP_ROOTS, type PlanCompiler } from './plan-compiler.js';
import { at } from './pointer.js';

/** What follows a verdict unless the review says otherwise. `cairn: 1` fixes it for ever. */
export const verdictsByDefault: { readonly [verdict in Verdict]: VerdictOutcome } = {
  approve: 'continue',
  edit: 'continue',
  revise: 'branch',
  reject: 'stop',
};

export function buildReview(review: ReviewDocument, step: string, pointer: string, compiler: PlanCompiler): PlannedReview {
  const editable = review.editable ?? [];
  const said = review.verdicts ?? verdictsByDefault;
  return {
    queue: review.queue,
    question: compiler.template(review.question ?? '', STEP_ROOTS, at(pointer, 'question'), step),
    verdicts: verdicts.flatMap((verdict) => {
      const then = said[verdict];
      // What is offered can be done: an edit needs something that may be edited.
      return then === undefined || (verdict === 'edit' && editable.length === 0) ? [] : [{ verdict, then }];
    }),
    authorises: (review.authorises ?? []).filter((id) => id !== null), // Null: refused before.
    editable: editable.filter((one) => one !== null),
    candidates: review.candidates ?? [],
    quorum: { of: review.quorum?.of ?? 1, notSameAs: review.quorum?.notSameAs ?? [] },
    deadlineMs: review.deadline ?? 0,
    onDeadline: review.onDeadline ?? 'escalate',
    escalate: (review.escalate ?? []).flatMap((level) => (level === null ? [] : [{ to: level.to, afterMs: level.after }])),
    receiptTtlMs: review.receiptTtl ?? RECEIPT_TTL_DEFAULT_MS,
    evidence: compiler.template([...(review.evidence ?? [])], STEP_ROOTS, at(pointer, 'evidence'), step),
  };
}
