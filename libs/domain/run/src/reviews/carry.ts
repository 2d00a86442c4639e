import type { PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { epochMsOf } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { digestOfSubjects } from './digest.js';
import { subjectsOf } from './request.js';

/** Whoever has the server for himself: there is nobody else to ask. */
const ALONE = 'user:local';

/**
 * Settles a review with the approval that the branch takes along for it: if that is about exactly what would be asked about now, holds still,
 * and is not of whoever opened the branch, who could not decide here (four eyes). Answers whether it did; else people are asked.
 */
export function carryVerdict(draft: Draft, step: PlannedStep, review: PlannedReview): boolean {
  const carried = draft.state.path.verdicts.find(({ entry }) => entry.step === step.id);
  if (carried === undefined) return false;
  const { reviewId, entry, output } = carried;
  const { subjects, decidedAt, decided, receiptTtlMs, subjectDigest } = entry;
  if (decidedAt === null || decided === null || draft.context.now >= epochMsOf(decidedAt) + receiptTtlMs) return false;
  if (isOwn(draft, review, output.by)) return false;
  const now = subjectsOf(draft, step, review);
  if (now.some(({ problem }) => problem !== undefined)) return false;
  if (digestOfSubjects(now.map(({ digest }) => digest)) !== digestOfSubjects(subjects.map(({ asked }) => asked))) return false;
  const { verdict, by, reason, edits, input } = output;
  draft.add({
    type: 'VerdictCarried',
    version: 1,
    data: {
      reviewId,
      step: step.id,
      verdict,
      then: 'continue',
      by,
      reason,
      subjectDigest,
      subjects,
      ...(edits === undefined ? {} : { edits }),
      ...(input === undefined ? {} : { input }),
      decidedAt,
      receiptTtl: receiptTtlMs,
      decided,
    },
  });
  return true;
}

function isOwn({ state: { opened } }: Draft, { quorum: { notSameAs } }: PlannedReview, by: readonly string[]): boolean {
  if (opened === null || !by.includes(opened.actor)) return false;
  return opened.actor !== ALONE || notSameAs.includes('branch.actor');
}
