export { eventSchemas } from './codec.js';
export type {
  Backoff,
  BucketRule,
  BucketRules,
  ExhaustedEnd,
  ExhaustedStep,
  Pause,
  RetryLimits,
  RetryPolicyDocument,
  RetryRule,
  StopRule,
} from './policy/document.js';
export type { PolicyApplied, PolicyEvent } from './policy/events.js';
export { evolvePolicy, type PolicyState } from './policy/evolve.js';
export { compilePolicy, compilePolicyText, hashPolicy, type CompiledPolicy } from './policy/compile.js';
export { defaultPolicy } from './policy/default-policy.js';
export { policySchema } from './policy/policy-schema.js';
export { normalise } from './judgement/normalise/normalise.js';
export type { JudgedFailure, Normalised } from './judgement/normalise/failure.js';
