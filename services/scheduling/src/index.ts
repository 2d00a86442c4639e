export { assembleScheduling, type Scheduling, type SchedulingOptions, type SchedulingPorts } from './assemble.js';
export type { SchedulingConfig } from './config.js';
export { SchedulingModule } from './scheduling.module.js';
