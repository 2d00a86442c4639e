export { ARTIFACTS, BUS, CLOCK, EVENT_STORE, IDS, METRICS, RANDOMNESS } from './tokens.js';
export { PortsModule, type Ports } from './ports.module.js';
export { createLog, NestLog, type Log, type LogFields } from './logger.js';
export { Health, type ReadinessProbe, type ReadinessReport } from './health.js';
export { DRAIN_MS_MAX, drainOnSignals, type DrainableProcess } from './drain.js';
export { crashPoints, type Hop } from './crash/points.js';
export { withCrashPoints, type CrashablePorts } from './crash/with-crash-points.js';
export { createHttpApplication, type HttpApplicationOptions, type HttpEdge } from './http-application.js';
