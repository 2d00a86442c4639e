export { DataLocked, startStandalone, type Standalone } from './standalone.js';
export type { StandaloneOptions } from './config.js';
