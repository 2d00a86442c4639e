export { assembleScheduling, type Scheduling, type SchedulingOptions, type SchedulingPorts } from './assemble.js';
export type { SchedulingConfig } from './config.js';
export { SchedulingModule } from './scheduling.module.js';
export { schedulingBindings } from './doors/bus.door.js';
export { schedulingEnv } from './config.js';
