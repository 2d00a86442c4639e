export { systemClock, systemIds, systemRandomness } from './system.js';
