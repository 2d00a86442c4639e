export { esdbAddress } from './address.js';
export { openEsdb, type Esdb, type EsdbOptions } from './open.js';
export type { StoreDifference } from './rights.js';
