import type { Json } from '@cairn/kernel';
import { jsonWithin } from './bounded-json.js';
import { headersOf } from './headers.js';
import { look } from './look.js';

/** Bytes of an answer's body that a failure keeps; its headers have as much, the rest of the 8 KiB is for the stack. */
const BODY_BYTES = 3_072;
/** Characters of a body text that are parsed in order to be cut as JSON and not in the middle of it. */
const PARSED_MAX = 262_144;

/** An HTTP answer that a client's error speaks of. */
export interface SeenResponse {
  readonly status: number;
  /** In lower case, without secrets. */
  readonly headers?: { readonly [name: string]: string };
  readonly body?: Json;
}

/**
 * The answer in a thrown thing, by the shapes of fetch's `Response`, axios, got, ky, undici, superagent, the AWS SDK, and the SDKs of model
 * providers (`status`, `headers`, `error`; `statusCode`, `responseHeaders`, `responseBody`). Never throws.
 */
export function responseIn(thrown: unknown): SeenResponse | undefined {
  const inner = look(thrown, 'response') ?? look(thrown, '$response');
  const status = first(
    [look(thrown, 'status'), look(thrown, 'statusCode'), look(inner, 'status'), look(inner, 'statusCode'), awsStatus(thrown)],
    asStatus,
  );
  if (status === undefined) return undefined;
  const headers = first(
    [look(inner, 'headers'), look(thrown, 'headers'), look(thrown, 'responseHeaders'), look(inner, 'header')],
    headersOf,
  );
  const body = first(
    [
      look(inner, 'data'),
      look(inner, 'body'),
      look(thrown, 'body'),
      look(thrown, 'responseBody'),
      look(thrown, 'error'),
      look(thrown, 'data'),
    ],
    asBody,
  );
  return { status, ...(headers === undefined ? {} : { headers }), ...(body === undefined ? {} : { body }) };
}

const awsStatus = (thrown: unknown): unknown => look(look(thrown, '$metadata'), 'httpStatusCode');

const asStatus = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 599 ? (value as number) : undefined;

/** A body that is at hand. A stream is not, and is not read for an error's sake. */
function asBody(value: unknown): Json | undefined {
  if (value instanceof Uint8Array) return asBody(Buffer.from(value.subarray(0, PARSED_MAX)).toString('utf8'));
  if (typeof value === 'string') return value === '' ? undefined : jsonWithin(parsed(value), BODY_BYTES);
  if (typeof value !== 'object' || value === null) return undefined;
  const isStream = ['getReader', 'pipe'].some((name) => typeof look(value, name) === 'function');
  return isStream ? undefined : jsonWithin(value, BODY_BYTES);
}

function parsed(text: string): unknown {
  if (text.length > PARSED_MAX || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function first<T>(values: readonly unknown[], read: (value: unknown) => T | undefined): T | undefined {
  for (const value of values) {
    const found = value === undefined ? undefined : readSafely(value, read);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `instanceof` and iteration may throw, where a thing wants them to. */
function readSafely<T>(value: unknown, read: (value: unknown) => T | undefined): T | undefined {
  try {
    return read(value);
  } catch {
    return undefined;
  }
}
