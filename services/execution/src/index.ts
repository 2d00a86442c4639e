export { assembleExecution, type Execution, type ExecutionOptions } from './assemble.js';
export { emittedMessage } from './publishing/run-facts.js';
