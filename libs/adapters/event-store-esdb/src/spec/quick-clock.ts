import type { Clock } from '@cairn/ports';
import { wallClock } from '@cairn/testkit';

/** Time that runs so many times as fast, for deadlines of seconds. */
export function quickClock(factor: number): Clock {
  return {
    now: () => wallClock.now(),
    monotonicMs: () => wallClock.monotonicMs() * factor,
    after: (delayMs, task) => wallClock.after(delayMs / factor, task),
  };
}
