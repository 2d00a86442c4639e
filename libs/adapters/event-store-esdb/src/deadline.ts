import type { Clock } from '@cairn/ports';

/** How long any call to the store may take (W-6). The client's own deadlines do not hold where a server has frozen. */
export const CALL_DEADLINE_MS = 5_000;

/** The promise's outcome, or `late()` thrown when it has none in time. What comes after that is dropped, also an error. */
export function withDeadline<T>(clock: Clock, promise: Promise<T>, late: () => Error, deadlineMs = CALL_DEADLINE_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(deadlineMs, () => reject(late()));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
