import type { PlannedReview, PlannedStep } from '@cairn/domain-definition';
import { epochMsOf } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { digestOfSubjects } from './digest.js';
import { subjectsOf } from './request.js';

/**
 * Settles a review with the approval that the branch takes along for it: if that is about exactly what would be asked about now, and holds
 * still. Answers whether it did; else people are asked.
 */
export function carryVerdict(draft: Draft, step: PlannedStep, review: PlannedReview): boolean {
  const carried = draft.state.path.verdicts.find(({ entry }) => entry.step === step.id);
  if (carried === undefined) return false;
  const { reviewId, entry, output } = carried;
  const { subjects, decidedAt, decided, receiptTtlMs, subjectDigest } = entry;
  if (decidedAt === null || decided === null || draft.context.now >= epochMsOf(decidedAt) + receiptTtlMs) return false;
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
