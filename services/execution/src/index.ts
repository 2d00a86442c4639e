export { assembleExecution, type Execution, type ExecutionOptions } from './assemble.js';
export { emittedMessage } from './publishing/run-facts.js';
export { ExecutionModule } from './execution.module.js';
export { executionBindings } from './doors/bus.door.js';
export { EXECUTION, WORK_DESK } from './doors/execution-token.js';
export { executionEnv } from './config.js';
