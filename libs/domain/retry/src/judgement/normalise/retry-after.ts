import type { Bucket } from '@cairn/domain-definition';
import { epochMsOf, instantOf, parseRfc3339, type EpochMs, type Instant } from '@cairn/kernel';
import { parseHttpDate } from './http-date.js';
import type { Signals } from './signals.js';

/** Numbers from here on are points in time, in seconds and in milliseconds: the years 2001 and later. */
const EPOCH_SECONDS_MIN = 1e9;
const EPOCH_MS_MIN = 1e12;
/** What is further away counts as this far, longer than any policy waits: an absurd answer is no leave to come back soon. The sum stays a time that can be written. */
const AHEAD_MAX_MS = 10 * 365 * 86_400_000;

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(?:s|secs?|seconds?)$/, 1_000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:h|hrs?|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
];
const SPAN = '(?:\\d+(?:\\.\\d+)?) ?(?:milliseconds?|millis|msecs?|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|[smhd])';
const SPANS = new RegExp(`^(?:${SPAN}[ ,]*(?:and )?)+$`);
const IN_TEXT = new RegExp(
  `(?:try(?: your request)? again|retry(?: your request| this request)?|available again|wait)(?: in| after| for)? ((?:${SPAN}[ ,]*(?:and )?)+)`,
);
const UNTIL_IN_TEXT =
  /(?:regain access|resets?|try again|available again)(?: again)? (?:on|at) (\d{4}-\d{2}-\d{2})(?: at |t| )(\d{2}:\d{2})(:\d{2})?(?:\.\d+)? ?(?:utc|z)/;

/**
 * When the provider will take another try, by what it said most exactly: the handler's field, `Retry-After`, the reset of a limit of which
 * nothing remains, a field or sentence of the body. Relative times count from the failure. `undefined`: nothing, nonsense, or the past.
 */
export function retryAfterOf(given: unknown, signals: Signals, bucket: Bucket, failedAt: Instant): Instant | undefined {
  const from = epochMsOf(failedAt);
  const { headers, times, text } = signals;
  const header = (name: string): string | undefined => headers.get(name);
  const candidates: readonly (() => EpochMs | undefined)[] = [
    () => (typeof given === 'string' ? timeOf(given, from) : undefined),
    () => inMs(header('retry-after-ms') ?? header('x-ms-retry-after-ms'), from),
    () => timeOf(header('retry-after') ?? header('x-retry-after'), from),
    () => (bucket === 'rate_limited' ? resetOf(signals, from) : undefined),
    () => fieldTime(times, from),
    () => textTime(text, from),
  ];
  for (const candidate of candidates) {
    const ms = candidate();
    if (ms !== undefined && ms > from) return instantOf(Math.ceil(Math.min(ms, from + AHEAD_MAX_MS)));
  }
  return undefined;
}

/** A number of seconds or a point in time, a span with units, RFC 3339 or an HTTP date. */
function timeOf(text: string | number | undefined, from: EpochMs): EpochMs | undefined {
  if (text === undefined) return undefined;
  const value = String(text).trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(value)) {
    const number = Number(value);
    return number >= EPOCH_MS_MIN ? number : number >= EPOCH_SECONDS_MIN ? number * 1_000 : from + number * 1_000;
  }
  const span = spanMs(value);
  return span === undefined ? (parseRfc3339(value.toUpperCase()) ?? parseHttpDate(value)) : from + span;
}

const inMs = (text: string | number | undefined, from: EpochMs): EpochMs | undefined =>
  text !== undefined && /^\d+(\.\d+)?$/.test(String(text)) ? from + Number(text) : undefined;

/** `1.4s`, `6m0s`, `1h 3m`, `26 seconds`: milliseconds. */
function spanMs(text: string): number | undefined {
  if (!SPANS.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/g)) {
    const factor = UNITS.find(([name]) => name.test(unit))?.[1];
    if (factor === undefined) return undefined;
    ms += Number(amount) * factor;
  }
  return ms;
}

/** The latest reset among the limits of which nothing remains; where none says so, the latest of all. */
function resetOf({ headers }: Signals, from: EpochMs): EpochMs | undefined {
  const spent: EpochMs[] = [];
  const all: EpochMs[] = [];
  for (const [name, value] of headers) {
    if (!name.includes('ratelimit') || !/(^|-)reset(-|$)/.test(name)) continue;
    const at = timeOf(value.split(';')[0], from);
    if (at === undefined) continue;
    all.push(at);
    const remaining = headers.get(name.replace('reset', 'remaining'));
    if (remaining !== undefined && Number(remaining) === 0) spent.push(at);
  }
  const counted = spent.length > 0 ? spent : all;
  return counted.length === 0 ? undefined : Math.max(...counted);
}

/** Fields such as `retry_after`, `retryDelay: "37s"`, `retryAfterMs`, `resets_at`. */
function fieldTime(times: ReadonlyMap<string, string | number>, from: EpochMs): EpochMs | undefined {
  for (const [name, value] of times) {
    const at = name.endsWith('ms') || name.endsWith('millis') ? inMs(value, from) : timeOf(value, from);
    if (at !== undefined) return at;
  }
  return undefined;
}

function textTime(text: string, from: EpochMs): EpochMs | undefined {
  const span = IN_TEXT.exec(text)?.[1];
  const ms = span === undefined ? undefined : spanMs(span.trim().replace(/(?:,| and)$/, ''));
  if (ms !== undefined) return from + ms;
  const until = UNTIL_IN_TEXT.exec(text);
  return until === null ? undefined : parseRfc3339(`${until[1]}T${until[2]}${until[3] ?? ':00'}Z`);
}
