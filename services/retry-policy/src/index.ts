export { assembleRetryPolicy, type RetryPolicy, type RetryPolicyOptions, type RetryPolicyPorts } from './assemble.js';
export type { RetryPolicyConfig } from './config.js';
export { RetryPolicyModule } from './retry-policy.module.js';
export { retryPolicyBindings } from './doors/bus.door.js';
export { retryPolicyEnv } from './config.js';
