/**
 * How long `waitUntil` waits when nobody says otherwise: far above what a healthy system needs, even where its processes get a tenth of a core.
 * It finds what never comes; a claim about how soon something comes needs a bound of its own.
 */
export const PATIENCE_MS = 30_000;

/** Between two looks. */
const LOOK_MS = 2;

/**
 * Resolves as soon as the condition holds (is not false, undefined or null), with its value. Rejects with `what` and the last error
 * when it did not within `patienceMs`. For conditions that another part of the system brings about; never a mere pause.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  patienceMs: number = PATIENCE_MS,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + patienceMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined && value !== null) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain until ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** The promise's value, or a rejection with `what` when it is not settled within `patienceMs`. */
export async function within<T>(what: string, promise: Promise<T>, patienceMs: number = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms in vain for ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
