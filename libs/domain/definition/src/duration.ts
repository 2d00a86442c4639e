import { DURATION_MAX_MS } from './limits.js';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHORT = /^([1-9][0-9]{0,11})(ms|[smhd])$/;
/** ISO 8601 without months and years, which have no fixed length. */
const ISO = /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12})(?:\.(\d{1,3}))?S)?)?$/;

/** What a duration may look like, for schemas. The value is checked by `durationMs`. */
export const DURATION_PATTERN = '^([1-9][0-9]{0,11}(ms|[smhd])|P[0-9WDTHMS.]{2,40})$';

/** `250ms 10s 5m 2h 14d`, ISO 8601 or whole milliseconds, as milliseconds; `undefined` for anything else, zero, or more than 5 years. */
export function durationMs(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parse(value) : undefined;
  return ms !== undefined && Number.isSafeInteger(ms) && ms > 0 && ms <= DURATION_MAX_MS ? ms : undefined;
}

function parse(text: string): number | undefined {
  const short = SHORT.exec(text);
  if (short !== null) return Number(short[1]) * UNIT_MS[short[2] as keyof typeof UNIT_MS];
  const iso = ISO.exec(text);
  if (iso === null || text.endsWith('T')) return undefined;
  const [, weeks = '0', days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = iso;
  return (
    (Number(weeks) * 7 + Number(days)) * UNIT_MS.d +
    Number(hours) * UNIT_MS.h +
    Number(minutes) * UNIT_MS.m +
    Number(seconds) * UNIT_MS.s +
    Number(fraction.padEnd(3, '0'))
  );
}
