/** Pieces of one sweep or one event that are under way at the same time: enough to hide latency, too few to starve others. */
export const PARALLEL_MAX = 64;

/** Runs `task` over the items, so many at a time, in their order. Rejects with the first error after those under way have ended. */
export async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>, max = PARALLEL_MAX): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      try {
        await task(items[next++] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(max, items.length) }, lane));
  if (errors.length > 0) throw errors[0];
}
