export { cairn } from './cairn.js';
export type { Surroundings } from './surroundings.js';
