import type { EpochMs } from '@cairn/kernel';
import { cut } from './cut-text.js';
import { look } from './look.js';

type Headers = { readonly [name: string]: string };

/** Looked at and kept of one answer at most. */
const HEADERS_MAX = 100;
const VALUE_MAX = 256;
const BYTES_MAX = 2_048;

/** What a judgement needs: these come first when not all headers fit. */
const TELLING = /retry-after|rate-?limit|request-id|^(date|content-type|x-should-retry)$/;
/** Names whose values open doors. They are never stored. */
const SECRET = /authorization|cookie|api-?key|secret|password|credential|(^|-)token$/;

/** Header names in lower case with their values, from a `Headers`, a `Map`, a plain object or a list of pairs; secrets are left out. */
export function headersOf(value: unknown): Headers | undefined {
  const found = pairsOf(value).flatMap(([name, text]): [string, string][] => {
    const lower = String(name).toLowerCase();
    const said = Array.isArray(text) ? text.join(', ') : typeof text === 'string' || typeof text === 'number' ? String(text) : '';
    return said === '' || !/^[a-z0-9!#$%&'*+.^_|~-]{1,100}$/.test(lower) || SECRET.test(lower) ? [] : [[lower, cut(said, VALUE_MAX)]];
  });
  const ordered = [...found.filter(([name]) => TELLING.test(name)), ...found.filter(([name]) => !TELLING.test(name))];
  let left = BYTES_MAX;
  const kept = ordered.filter(([name, text]) => (left -= Buffer.byteLength(JSON.stringify([name, text]))) >= 0);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function pairsOf(value: unknown): [unknown, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return listPairs(value.slice(0, HEADERS_MAX * 2) as unknown[]);
  const entries = look(value, 'entries');
  if (typeof entries !== 'function') return Object.entries(value).slice(0, HEADERS_MAX);
  const pairs: [unknown, unknown][] = [];
  for (const pair of entries.call(value) as Iterable<[unknown, unknown]>) {
    if (pairs.push(pair) >= HEADERS_MAX) break;
  }
  return pairs;
}

/** `[[name, value], …]`, or raw headers: `[name, value, name, value, …]`. */
function listPairs(list: readonly unknown[]): [unknown, unknown][] {
  if (list.every((item) => Array.isArray(item))) return list as [unknown, unknown][];
  return list.flatMap((name, i): [unknown, unknown][] => (i % 2 === 0 ? [[name, list[i + 1]]] : []));
}

/** `Retry-After` as seconds, HTTP-date (RFC 9110 §10.2.3) or, of some providers, milliseconds. Beyond a year it is no pause but a mistake. */
export function retryAfterOf(headers: Headers | undefined, now: EpochMs): EpochMs | undefined {
  const at = retryAt(headers?.['retry-after-ms'], headers?.['retry-after'], now);
  return at !== undefined && at <= now + PAUSE_MAX_MS ? at : undefined;
}

const PAUSE_MAX_MS = 365 * 86_400_000;
const NUMBER = /^\d{1,12}(\.\d{1,6})?$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function retryAt(ms: string | undefined, after: string | undefined, now: EpochMs): EpochMs | undefined {
  if (ms !== undefined && NUMBER.test(ms)) return now + Math.ceil(Number(ms));
  if (after === undefined) return undefined;
  if (NUMBER.test(after)) return now + Math.ceil(Number(after) * 1_000);
  const date = HTTP_DATE.test(after) ? Date.parse(after) : NaN;
  return Number.isNaN(date) ? undefined : date;
}
