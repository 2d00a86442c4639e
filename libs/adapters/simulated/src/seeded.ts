import { crockford } from '@cairn/kernel';
import type { Ids, Randomness } from '@cairn/ports';
import type { Pcg32 } from './pcg32.js';

/** Randomness that a seed repeats. Guessable, so for simulations only. */
export function seededRandomness(random: Pcg32): Randomness {
  return {
    entropy: () => Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join(''),
    fraction: () => random.fraction(),
  };
}

/** Ids that a seed repeats. */
export function seededIds(random: Pcg32): Ids {
  return {
    next: () => {
      const bytes = Buffer.alloc(16);
      for (let i = 0; i < 4; i++) bytes.writeUInt32BE(random.uint32(), i * 4);
      return crockford(bytes);
    },
  };
}
