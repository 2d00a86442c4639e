export { DataLocked, startStandalone, type Standalone } from './standalone.js';
export { ConfigInvalid, type StandaloneOptions } from './config.js';
