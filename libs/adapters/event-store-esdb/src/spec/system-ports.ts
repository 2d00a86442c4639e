import { randomBytes } from 'node:crypto';
import type { Randomness } from '@cairn/ports';

/** A neighbour (`@cairn/system`) is not ours to import. */
export const randomness: Randomness = { entropy: () => randomBytes(16).toString('hex'), fraction: () => Math.random() };
