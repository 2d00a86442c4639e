import type { Principal, Rejection } from '@cairn/kernel';
import type { ReviewState } from './evolve.js';

export type ReviewRejection = Rejection<
  | 'review_not_found'
  | 'review_closed'
  | 'review_claimed'
  | 'review_not_claimed'
  | 'digest_mismatch'
  | 'verdict_unknown'
  | 'edits_invalid'
  | 'quorum_needed'
  | 'review_full'
  | 'decider_not_human'
  | 'role_missing'
  | 'four_eyes'
  | 'not_candidate'
> & { readonly expected?: unknown; readonly got?: unknown };

/** Why somebody may not decide this review; `undefined` if he may. An agent never does, whatever its token says (C-REVIEW). */
export function refusalOf({ opened, assignee, passedTo }: ReviewState, principal: Principal): ReviewRejection | undefined {
  if (!principal.id.startsWith('user:'))
    return { code: 'decider_not_human', detail: `${principal.id} is no person, and only people decide` };
  if (!principal.roles.includes('reviewer')) return { code: 'role_missing', detail: `${principal.id} has no role reviewer` };
  const excluded = opened.excluded.find(({ who }) => who === principal.id);
  if (excluded !== undefined) {
    const says = `${principal.id} may not decide: four eyes, and these two are ${excluded.because}`;
    return { code: 'four_eyes', detail: says, expected: `somebody else than ${excluded.because}`, got: principal.id };
  }
  if (opened.candidates.length === 0) return undefined;
  const asked = [...opened.candidates, ...(assignee === null ? [] : [assignee]), ...(passedTo === null ? [] : [passedTo])];
  if (asked.includes(principal.id) || principal.groups.some((group) => asked.includes(group))) return undefined;
  return { code: 'not_candidate', detail: `${principal.id} is not asked; these are: ${[...new Set(asked)].join(', ')}` };
}

/** Operators and admins may pass a review on; whoever may decide it, too. */
export function refusalToManage(state: ReviewState, principal: Principal): ReviewRejection | undefined {
  if (principal.id.startsWith('user:') && principal.roles.some((role) => role === 'operator' || role === 'admin')) return undefined;
  return refusalOf(state, principal);
}
