/** Pieces of one sweep or one event that are under way at the same time: enough to hide latency, too few to starve others. */
export const PARALLEL_MAX = 64;

/** Runs `task` over the items, so many at a time, in their order. Rejects with the first error after those under way have ended. */
export async function inParallel<T>(items: Iterable<T>, task: (item: T) => Promise<void>, max = PARALLEL_MAX): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && errors.length === 0; next = iterator.next()) {
      try {
        await task(next.value);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: max }, lane));
  if (errors.length > 0) throw errors[0];
}
