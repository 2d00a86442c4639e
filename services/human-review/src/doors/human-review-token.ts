/** What doors find the assembled service under. */
export const HUMAN_REVIEW: unique symbol = Symbol('HumanReview');
