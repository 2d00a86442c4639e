export { eventSchemas } from './codec.js';
export type { Backoff, BucketRule, RetryPolicyDocument } from './policy/document.js';
export type { PolicyApplied, PolicyEvent } from './policy/events.js';
export { evolvePolicy, type PolicyState } from './policy/evolve.js';
export { defaultPolicy, hashPolicy } from './policy/default-policy.js';
