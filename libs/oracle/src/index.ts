export { verifyRun } from './verify-run.js';
export { collectHistory } from './collect.js';
export { defaultLimits } from './limits.js';
export { invariants, printViolation, type Invariant, type Limits, type RunHistory, type Violation } from './history.js';
export { policyNamed, type Policy, type RetryRule } from './policies.js';
export { BundleCheck, goesOn, type BundleFinding, type BundleVerdict } from './bundle/check-bundle.js';
export { artifactsNamed } from './bundle/named-artifacts.js';
