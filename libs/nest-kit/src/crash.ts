// For tests that kill. What is shipped holds nothing of it (`tools/bundle.mjs`): it is read where somebody asks for a crash, and only there.
export { crashPoints, type Hop } from './crash/points.js';
export { withCrashPoints, type CrashablePorts } from './crash/with-crash-points.js';
