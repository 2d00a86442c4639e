import { isUtf8 } from 'node:buffer';
import { JSON_DEPTH_MAX, type Json } from '@cairn/kernel';
import { refuse } from './refused.js';

/** Fields of one body: far above any definition of 500 steps, far below what takes a second to hash (B-4). */
const BODY_KEYS_MAX = 20_000;
/** Fields of one frame: 256 replies of the size above would not fit into its bytes. */
const FRAME_KEYS_MAX = 400_000;
/** An integer of fewer characters is below 2^53, a decimal of fewer without exponent is finite: no need to look closer. */
const SAFE_NUMBER_CHARS = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/**
 * Parses what a person or program sent, or refuses it as `invalid_json` (B-1, B-4 to B-7): JSON in UTF-8 without BOM, nested at most
 * `JSON_DEPTH_MAX`, every number finite and every integer exact, no field that reaches a prototype, no field twice, no half surrogate.
 */
export function parseBody(bytes: Uint8Array): Json {
  return parse(bytes, BODY_KEYS_MAX, 'count');
}

/** The same for a frame of a worker session, but fields that stand twice: last one wins, which no decision depends on. */
export function parseFrame(bytes: Uint8Array): Json {
  return parse(bytes, FRAME_KEYS_MAX, 'suspect');
}

/** One pass over the bytes for what `JSON.parse` lets through, then `JSON.parse`; the value is walked only where it may matter. */
function parse(bytes: Uint8Array, keysMax: number, walk: 'count' | 'suspect'): Json {
  if (bytes.length === 0) refuse('invalid_json', 'The body is empty.');
  if (!isUtf8(bytes)) refuse('invalid_json', 'The body is not UTF-8.');
  const seen = scanBytes(bytes, keysMax);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refuse('invalid_json', 'The body is not JSON.');
  }
  // Only an escape can spell half a surrogate or hide a name from `includes`.
  const suspect = seen.unicodeEscape || text.includes('__proto__') || text.includes('prototype');
  if (walk === 'count' || suspect) {
    const keys = walkValue(value);
    if (walk === 'count' && keys !== seen.keys) refuse('invalid_json', 'An object holds a field twice.');
  }
  return value;
}

function scanBytes(bytes: Uint8Array, keysMax: number): { keys: number; unicodeEscape: boolean } {
  let depth = 0;
  let keys = 0;
  let unicodeEscape = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      i += 1;
      while (i < bytes.length && bytes[i] !== QUOTE) {
        if (bytes[i] === BACKSLASH) {
          i += 1;
          if (bytes[i] === LETTER_U) unicodeEscape = true;
        }
        i += 1;
      }
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) refuse('invalid_json', `The body is nested deeper than ${JSON_DEPTH_MAX}.`);
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    } else if (byte === 0x3a) {
      keys += 1;
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      i = scanNumber(bytes, i) - 1;
    }
  }
  if (keys > keysMax) refuse('invalid_json', `The body holds more than ${keysMax} fields.`);
  return { keys, unicodeEscape };
}

/** The index after the number that begins at `from`. */
function scanNumber(bytes: Uint8Array, from: number): number {
  let end = from + 1;
  let integer = true;
  let exponent = false;
  for (; end < bytes.length; end++) {
    const byte = bytes[end]!;
    if (byte >= 0x30 && byte <= 0x39) continue;
    if (byte === 0x2e) integer = false;
    else if (byte === 0x65 || byte === 0x45) exponent = true;
    else if (byte !== 0x2b && byte !== 0x2d) break;
  }
  if (end - from >= SAFE_NUMBER_CHARS || exponent) {
    const value = Number(Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1'));
    if (value === Infinity || value === -Infinity) refuse('invalid_json', 'A number is beyond what a double can hold.');
    if (integer && !exponent && !Number.isSafeInteger(value)) refuse('invalid_json', 'An integer is beyond 2^53; send it as text.');
  }
  return end;
}

/** Counts fields; refuses those that reach a prototype and every text that is not Unicode. A list of its own: depth costs no stack. */
function walkValue(root: Json): number {
  const open: Json[] = [root];
  let keys = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string') {
      if (!value.isWellFormed()) refuse('invalid_json', 'A text holds half a surrogate pair.');
    } else if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) open.push(item);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        keys += 1;
        if (key === '__proto__' || key === 'prototype') refuse('invalid_json', 'A field may not bear that name.');
        if (!key.isWellFormed()) refuse('invalid_json', 'The name of a field holds half a surrogate pair.');
        open.push(item);
      }
    }
  }
  return keys;
}
