export { Pcg32 } from './pcg32.js';
export { Scheduler, WORLD, type ActorId, type SchedulerOptions } from './scheduler.js';
export { seededIds, seededRandomness } from './seeded.js';
export { createRecordingMetrics, type RecordingMetrics } from './recording-metrics.js';
export { createMemoryArtifacts, type MemoryArtifacts } from './memory-artifacts.js';
