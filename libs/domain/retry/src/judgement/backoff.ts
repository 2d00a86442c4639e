import { sha256Hex } from '@cairn/kernel';
import type { Backoff } from '../policy/document.js';

/** Defaults of `capabilities.md` §3.5. */
const FACTOR = 2;
const JITTER = 0.2;
/** A policy may pause a week at most. */
const CAP_MAX_MS = 7 * 86_400_000;

/**
 * Milliseconds before the next attempt. `attempt`: the one that failed, from 1. The jitter comes from the failure's event id: a
 * decision made again is equal, and runs that failed together do not come back together (W-5). Never shorter than declared.
 */
export function delayMs(
  { kind, first, cap = CAP_MAX_MS, factor = FACTOR, jitter = JITTER }: Backoff,
  attempt: number,
  failedEventId: string,
): number {
  const grown = kind === 'fixed' ? first : first * factor ** (attempt - 1);
  return Math.round(Math.min(grown, cap) * (1 + jitter * fractionOf(failedEventId)));
}

/** Uniform in [0, 1), and the same for the same id. */
function fractionOf(id: string): number {
  return parseInt(sha256Hex(id).slice(0, 8), 16) / 2 ** 32;
}
