import canonicalize from 'canonicalize';

/** What JSON can hold. Nothing else is stored, sent or hashed. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Deeper values are refused at every door; the serialisers below recurse and must never meet one. */
export const JSON_DEPTH_MAX = 64;

/**
 * RFC 8785 canonical JSON of a value: keys sorted by UTF-16 code units, no white space, ECMAScript numbers.
 * A member whose value is `undefined` is left out, as `JSON.stringify` does.
 * Throws `TypeError` on what JSON cannot hold: NaN, infinities, lone surrogates, functions, bigints, cycles.
 *
 * Fast path: a value whose objects already have sorted keys goes through `JSON.stringify` as it is, other objects are copied in
 * key order first. Integer-like keys ("10", "9") are moved to the front by every JavaScript engine, so they take the slow path.
 */
export function canon(value: unknown): string {
  const ordered = inKeyOrder(value, 0);
  if (ordered === UNORDERABLE) {
    const text = canonicalize(value);
    if (text === undefined) throw new TypeError('canonical JSON: the value is not JSON');
    return text;
  }
  return JSON.stringify(ordered);
}

const UNORDERABLE = Symbol('unorderable');

/** The same value with every object's keys in order: the value itself where nothing had to move. */
function inKeyOrder(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('canonical JSON: a string holds a lone surrogate');
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('canonical JSON: a number is not finite');
      return value;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return value;
      if (depth > JSON_DEPTH_MAX) throw new TypeError(`canonical JSON: nested deeper than ${JSON_DEPTH_MAX}`);
      return Array.isArray(value) ? listInKeyOrder(value, depth) : objectInKeyOrder(value as Record<string, unknown>, depth);
    default:
      throw new TypeError(`canonical JSON: ${typeof value} is not JSON`);
  }
}

function listInKeyOrder(list: readonly unknown[], depth: number): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = inKeyOrder(list[i], depth + 1);
    if (item === UNORDERABLE) return UNORDERABLE;
    if (item !== list[i]) (copy ??= list.slice())[i] = item;
  }
  return copy ?? list;
}

function objectInKeyOrder(object: Record<string, unknown>, depth: number): unknown {
  if ('toJSON' in object) throw new TypeError('canonical JSON: only plain objects');
  const keys = Object.keys(object);
  let sorted = true;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const first = key.charCodeAt(0);
    if (first >= 48 && first <= 57) return UNORDERABLE; // Perhaps integer-like: JavaScript would move it.
    if (key === '__proto__' || !key.isWellFormed()) throw new TypeError('canonical JSON: a key is not allowed');
    if (i > 0 && keys[i - 1]! > key) sorted = false;
  }
  let copy: Record<string, unknown> | undefined = sorted ? undefined : {};
  if (!sorted) keys.sort();
  for (const key of keys) {
    const before = object[key];
    if (before === undefined) continue; // JSON.stringify leaves it out.
    const after = inKeyOrder(before, depth + 1);
    if (after === UNORDERABLE) return UNORDERABLE;
    if (copy !== undefined && !sorted) copy[key] = after;
    else if (after !== before) {
      copy ??= { ...object };
      copy[key] = after;
    }
  }
  return copy ?? object;
}
