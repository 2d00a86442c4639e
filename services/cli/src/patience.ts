import { StoreFault } from '@cairn/ports';

/** A store that is away keeps whoever follows its events waiting for ever: a command ends instead. */
export const FOLLOW_PATIENCE_MS = 15_000;

/** The promise's outcome, or `store_unavailable` when it has none within `FOLLOW_PATIENCE_MS`. */
export function withPatience<T>(what: string, promise: Promise<T>, patienceMs = FOLLOW_PATIENCE_MS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = (): void => reject(new StoreFault('store_unavailable', `${what}: no answer within ${patienceMs / 1_000} s`));
    const timer = setTimeout(late, patienceMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
