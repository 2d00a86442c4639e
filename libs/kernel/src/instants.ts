/** A point in time as it is stored: RFC 3339, UTC, exactly three decimals. Sorts as text. */
export type Instant = string;
/** Milliseconds since the epoch. */
export type EpochMs = number;

/** The tolerated difference between two machines' clocks. Nothing that needs more exactness may compare their `at`. */
export const CLOCK_SKEW_MS = 5_000;

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):([0-5]\d)\.(\d{3})Z$/;
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const DAY_MS = 86_400_000;
/** 0000-01-01T00:00:00.000Z and 10000-01-01T00:00:00.000Z, as `daysFromCivil` counts. */
const YEAR_0_MS = -719_528 * DAY_MS;
const YEAR_10000_MS = 2_932_897 * DAY_MS;

let cachedDay = NaN;
let cachedText = '';

/** `EpochMs` (years 0 to 9999) as an instant. Pure arithmetic: the domain has no `Date`. */
export function instantOf(ms: EpochMs): Instant {
  if (!Number.isSafeInteger(ms)) throw new RangeError('instantOf: whole milliseconds');
  if (ms < YEAR_0_MS || ms >= YEAR_10000_MS) throw new RangeError('instantOf: years 0 to 9999');
  const day = Math.floor(ms / DAY_MS);
  if (day !== cachedDay) {
    const [year, month, dayOfMonth] = civilFromDays(day);
    cachedText = `${pad(year, 4)}-${pad(month, 2)}-${pad(dayOfMonth, 2)}T`;
    cachedDay = day;
  }
  const rest = ms - day * DAY_MS;
  const seconds = Math.floor(rest / 1000);
  return `${cachedText}${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${pad(rest % 1000, 3)}Z`;
}

/** Milliseconds since the epoch of an instant that we wrote. Throws on any other text. */
export function epochMsOf(instant: Instant): EpochMs {
  if (!INSTANT.test(instant)) throw new RangeError(`not an instant: ${instant.slice(0, 40)}`);
  const ms = parseRfc3339(instant);
  if (ms === undefined) throw new RangeError(`not an instant: ${instant}`);
  return ms;
}

/**
 * Milliseconds of any RFC 3339 text (time zones, 0-9 decimals, cut to milliseconds; a leap second is the next minute's first), or
 * `undefined` if it is none or lies, in UTC, outside the years 0 to 9999 that an instant can hold.
 */
export function parseRfc3339(text: string): EpochMs | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const [y, m, d, h, min, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) || h > 23 || min > 59 || s > 60) return undefined;
  const ms = Number((fraction ?? '').padEnd(3, '0').slice(0, 3));
  const offset = sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  const result = daysFromCivil(y, m, d) * DAY_MS + ((h * 60 + min) * 60 + s) * 1000 + ms - offset;
  return result < YEAR_0_MS || result >= YEAR_10000_MS ? undefined : result;
}

/** The instant `ms` milliseconds after another. */
export function after(instant: Instant, ms: number): Instant {
  return instantOf(epochMsOf(instant) + ms);
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (eras of 400 years that begin in March). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function civilFromDays(days: number): [year: number, month: number, day: number] {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, day];
}
