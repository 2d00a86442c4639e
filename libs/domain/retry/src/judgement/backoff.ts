import { epochMsOf, instantOf, sha256Hex, type Instant } from '@cairn/kernel';
import type { Pause } from '../policy/document.js';
import { JITTER_DEFAULT, PAUSE_MAX_MS } from '../policy/limits.js';
import { declaredMs, ownBackoff } from '../policy/pauses.js';

/** What the start of the next attempt follows from. */
export interface FailedAt {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly failedEventId: string;
  readonly failedAt: Instant;
  /** The provider's time, after the failure. */
  readonly retryAfter?: Instant;
}

export type NextStart =
  | { readonly kind: 'at'; readonly notBefore: Instant }
  /** The provider asks for more patience than any policy may have. Milliseconds. */
  | { readonly kind: 'too_far'; readonly waitMs: number };

/**
 * When the next attempt may start, counted from the failure. The jitter comes from the failure's event id: a decision made again is equal,
 * and runs that failed together do not come back together (W-5). Never before what was declared, and never before the provider's time,
 * which wins over our own pause where the rule asks for it; what is added to it is at most the jitter of our first pause.
 */
export function nextStart(pause: Pause, { attempt, failedEventId, failedAt, retryAfter }: FailedAt): NextStart {
  const own = ownBackoff(pause);
  const extra = (own.jitter ?? JITTER_DEFAULT) * fractionOf(failedEventId);
  const from = epochMsOf(failedAt);
  if (!('from' in pause) || retryAfter === undefined)
    return { kind: 'at', notBefore: instantOf(from + Math.round(declaredMs(own, attempt) * (1 + extra))) };
  const waitMs = epochMsOf(retryAfter) - from;
  if (waitMs > PAUSE_MAX_MS) return { kind: 'too_far', waitMs };
  return { kind: 'at', notBefore: instantOf(from + waitMs + Math.round(Math.min(waitMs, own.first) * extra)) };
}

/** Uniform in [0, 1), and the same for the same id. */
function fractionOf(id: string): number {
  return parseInt(sha256Hex(id).slice(0, 8), 16) / 2 ** 32;
}
