import type { Backoff, BucketRule, Pause } from './document.js';
import { ATTEMPTS_MAX, FACTOR_DEFAULT, JITTER_DEFAULT, PAUSE_MAX_MS } from './limits.js';

/** The pause that a policy declares after the failure of attempt `attempt` (from 1), before jitter. Milliseconds. */
export function declaredMs({ kind, first, cap = PAUSE_MAX_MS, factor = FACTOR_DEFAULT }: Backoff, attempt: number): number {
  switch (kind) {
    case 'fixed':
      return Math.min(first, cap);
    case 'linear':
      return Math.min(first * attempt, cap);
    case 'exponential':
      return Math.min(first * factor ** (attempt - 1), cap);
  }
}

/** The backoff that holds where no provider's time is known. */
export const ownBackoff = (pause: Pause): Backoff => ('from' in pause ? pause.else : pause);

/** The longest that a step can be kept waiting by the rules of one bucket, whichever of them holds each time (B-22). Milliseconds. */
export function totalPauseMs(rules: readonly BucketRule[]): number {
  let total = 0;
  for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
    const pauses = rules.map((rule) => {
      const pause = rule.retry && attempt < rule.attempts ? rule.backoff : undefined;
      return pause === undefined ? 0 : longestMs(ownBackoff(pause), attempt);
    });
    total += Math.max(0, ...pauses);
  }
  return total;
}

const longestMs = (backoff: Backoff, attempt: number): number => declaredMs(backoff, attempt) * (1 + (backoff.jitter ?? JITTER_DEFAULT));
