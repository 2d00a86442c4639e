export { eventSchemas } from './codec.js';
export type {
  AskedSubject,
  Excluded,
  OfferedOption,
  ReviewClaimed,
  ReviewClosed,
  ReviewCommented,
  ReviewDecided,
  ReviewEscalated,
  ReviewExpired,
  ReviewOpened,
  ReviewReassigned,
  ReviewReleased,
  ReviewStreamEvent,
  VoteCast,
} from './events.js';
export type {
  ClaimReview,
  CloseReview,
  CommentReview,
  DecideReview,
  EscalateReview,
  PassTime,
  ReassignReview,
  ReleaseReview,
} from './commands.js';
export {
  dueAt,
  evolveReview,
  isOpen,
  statusOf,
  votesWith,
  withExcluded,
  type Happening,
  type ReviewState,
  type ReviewStatus,
} from './evolve.js';
export { reviewView, type ReviewView } from './view.js';
export { refusalOf, type ReviewRejection } from './who.js';
