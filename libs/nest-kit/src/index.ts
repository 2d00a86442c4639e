export { ARTIFACTS, BUS, CLOCK, EVENT_STORE, IDS, METRICS, RANDOMNESS } from './tokens.js';
export { PortsModule, type Ports } from './ports.module.js';
