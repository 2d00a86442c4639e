import { durationMs } from '@cairn/domain-definition';
import { instantOf, parseRfc3339, type EpochMs, type FieldError } from '@cairn/kernel';
import type { WhenDue } from '../commands.js';
import { FAR_FUTURE_MS } from './open.js';

/** Times of a wait as people say them: `14d`, milliseconds, an RFC 3339 time; null for none, absent for as it is. */
export interface DueTexts {
  readonly deadline?: string | number | null;
  readonly staleAfter?: string | number | null;
}

export type Dues =
  | { readonly ok: true; readonly deadline?: WhenDue | null; readonly stale?: WhenDue | null }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Reads both, at least one of which must be said; every problem at once. No time is more than five years ahead (B-20). */
export function duesOf({ deadline, staleAfter }: DueTexts, now: EpochMs): Dues {
  const errors: FieldError[] = [];
  const read = (pointer: string, text: string | number | null | undefined): WhenDue | null | undefined => {
    if (text === undefined || text === null) return text;
    const afterMs = durationMs(text);
    if (afterMs !== undefined) return { afterMs };
    const at = typeof text === 'string' ? parseRfc3339(text) : undefined;
    if (at !== undefined && at <= now + FAR_FUTURE_MS) return { at: instantOf(at) };
    const says = 'must be a duration such as 14d, or an RFC 3339 time, at most five years ahead';
    errors.push({ pointer, rule: 'duration', says });
    return undefined;
  };
  const due = read('/deadline', deadline);
  const stale = read('/staleAfter', staleAfter);
  if (deadline === undefined && staleAfter === undefined)
    errors.push({ pointer: '/deadline', rule: 'required', says: 'say a deadline, or staleAfter' });
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, ...(due === undefined ? {} : { deadline: due }), ...(stale === undefined ? {} : { stale }) };
}
