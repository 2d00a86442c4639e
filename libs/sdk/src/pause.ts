/** Waits between attempts to reach a server that is away: doubled from the first to the last, jittered. */
const FIRST_MS = 50;
const LAST_MS = 2_000;

/** Waits before another attempt. `false`: it was aborted meanwhile. */
export function jitteredPause(failures: number, signal: AbortSignal): Promise<boolean> {
  const ms = Math.min(LAST_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2);
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(!signal.aborted);
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
