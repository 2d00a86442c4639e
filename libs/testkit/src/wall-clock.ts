import type { Clock } from '@cairn/ports';

/** Real time for an adapter under test; `@cairn/system` is an adapter itself, and its neighbours may not import it. */
export const wallClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
};
