import type { Log } from './logger.js';

/** A drain that takes longer is cut off: below the 40 s grace of our pods, with room for a `preStop` (`experience.md` §3.2). */
export const DRAIN_MS_MAX = 25_000;

/** The process, as far as a drain needs it. */
export interface DrainableProcess {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * On the first SIGTERM or SIGINT runs `drain` once and exits 0, also when it takes longer than `DRAIN_MS_MAX`: what was not finished
 * is in the history and is taken up after the next start. Exits 1 if `drain` rejects. Further signals change nothing.
 */
export function drainOnSignals(process: DrainableProcess, log: Log, drain: () => Promise<void>, withinMs: number = DRAIN_MS_MAX): void {
  let begun = false;
  const begin = (signal: string): void => {
    if (begun) return;
    begun = true;
    log.info('draining', { signal });
    const cut = setTimeout(() => {
      log.warn('drain cut off', { withinMs });
      process.exit(0);
    }, withinMs);
    drain().then(
      () => {
        clearTimeout(cut);
        log.info('drained');
        process.exit(0);
      },
      (error: unknown) => {
        clearTimeout(cut);
        log.error('drain failed', {}, error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
}
