export { assembleHumanReview, type HumanReview, type HumanReviewOptions, type HumanReviewPorts } from './assemble.js';
export type { HumanReviewConfig } from './config.js';
export { HumanReviewModule } from './human-review.module.js';
export { humanReviewBindings } from './doors/bus.door.js';
export { humanReviewEnv } from './config.js';
