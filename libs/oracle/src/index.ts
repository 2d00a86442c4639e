export { verifyRun } from './verify-run.js';
export { collectHistory } from './collect.js';
export { defaultLimits } from './limits.js';
export { invariants, printViolation, type Invariant, type Limits, type RunHistory, type Violation } from './history.js';
export { policyNamed, type Policy, type RetryRule } from './policies.js';
