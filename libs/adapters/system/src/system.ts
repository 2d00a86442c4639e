import { randomBytes } from 'node:crypto';
import { crockford } from '@cairn/kernel';
import type { Clock, Ids, Randomness } from '@cairn/ports';

/** Node's timers take no longer delay; they would fire at once. */
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's clock. Delays of any length; a timer holds the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    if (delayMs <= 0) {
      const immediate = setImmediate(task); // After what is due in this turn of the loop, not a millisecond later.
      return { cancel: () => clearImmediate(immediate) };
    }
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      timer = leftMs > TIMER_MAX_MS ? setTimeout(() => wait(leftMs - TIMER_MAX_MS), TIMER_MAX_MS) : setTimeout(task, Math.ceil(leftMs));
    };
    wait(Math.max(0, delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Bytes asked of the system at once: a call costs a microsecond whatever it brings. */
const POOL_BYTES = 4_096;
const ENTROPY_BYTES = 16;
const FRACTION_BYTES = 7;

let pool = Buffer.alloc(0);
let used = 0;

/** Fresh bytes of the system's cryptographic generator; none is given out twice. */
function fresh(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += bytes;
  return pool.subarray(used - bytes, used);
}

export const systemRandomness: Randomness = {
  entropy: () => fresh(ENTROPY_BYTES).toString('hex'),
  fraction: () => {
    const bytes = fresh(FRACTION_BYTES);
    return ((bytes[0]! & 0x1f) * 2 ** 48 + bytes.readUIntBE(1, 6)) / 2 ** 53; // 53 bits: all that a double holds.
  },
};

/** Ids of 128 random bits. */
export const systemIds: Ids = { next: () => crockford(fresh(ENTROPY_BYTES)) };
