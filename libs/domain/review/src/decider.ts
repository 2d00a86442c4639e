export {
  claimReview,
  closeReview,
  commentReview,
  decideReview,
  escalateReview,
  openReview,
  passTime,
  reassignReview,
  releaseReview,
  REVIEW_EVENTS_MAX,
} from './decide.js';
