import { setTimeout as pause } from 'node:timers/promises';

/** How often it is looked: far below what is measured, far above what looking costs. */
const LOOK_MS = 5;
/** Nothing here takes this long: an engine that does has lost something. */
const PATIENCE_MS = 120_000;
const NOT_THERE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** Resolves when `condition` holds, with what it gave. */
export async function waitFor(what, condition) {
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() - start > PATIENCE_MS) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
    await pause(LOOK_MS);
  }
}

/** Asks until a server is there that answers: one that was killed and started again is asked a second time. */
export const again = (ask) =>
  waitFor('an answer', () =>
    ask().catch((error) => {
      if (NOT_THERE.has(error.code) || /: 503 /.test(error.message)) return undefined;
      throw error;
    }),
  );
