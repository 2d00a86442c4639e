import type { Clock } from '@cairn/ports';

/** The machine's clock, for the line. */
export const clock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    if (delayMs > 0) {
      const timer = setTimeout(task, Math.ceil(delayMs));
      return { cancel: () => clearTimeout(timer) };
    }
    const immediate = setImmediate(task); // After what is due in this turn of the loop, not a millisecond later.
    return { cancel: () => clearImmediate(immediate) };
  },
};
