import canonicalize from 'canonicalize';

/** What JSON can hold. Nothing else is stored, sent or hashed. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Objects and lists inside each other, at most, in what comes from outside: every door refuses deeper values. */
export const JSON_DEPTH_MAX = 64;

/**
 * What is stored is deeper than what came: a definition's document (as deep as a door lets through) may wrap an input that is as deep
 * again, in an event with some levels of its own. Beyond this only a cycle is left, and the recursion below must end.
 */
const STORED_DEPTH_MAX = 2 * JSON_DEPTH_MAX + 16;

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

/**
 * The same value with every object's keys in order: the value itself where nothing had to move, `UNORDERABLE` where JavaScript would
 * not keep the order. Looks at all of the value either way, so that both paths refuse the same.
 */
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
      if (depth >= STORED_DEPTH_MAX) throw new TypeError(`canonical JSON: nested deeper than ${STORED_DEPTH_MAX}`);
      return Array.isArray(value) ? listInKeyOrder(value, depth) : objectInKeyOrder(value as Record<string, unknown>, depth);
    default:
      throw new TypeError(`canonical JSON: ${typeof value} is not JSON`);
  }
}

function listInKeyOrder(list: readonly unknown[], depth: number): unknown {
  let copy: unknown[] | undefined;
  let orderable = true;
  for (let i = 0; i < list.length; i++) {
    const item = inKeyOrder(list[i], depth + 1);
    if (item === UNORDERABLE) orderable = false;
    else if (item !== list[i]) (copy ??= list.slice())[i] = item;
  }
  return orderable ? (copy ?? list) : UNORDERABLE;
}

function objectInKeyOrder(object: Record<string, unknown>, depth: number): unknown {
  if (typeof object['toJSON'] === 'function') throw new TypeError('canonical JSON: only plain objects');
  const keys = Object.keys(object);
  let sorted = true;
  let orderable = true;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const first = key.charCodeAt(0);
    if (first >= 48 && first <= 57) orderable = false; // Perhaps integer-like: JavaScript would move it.
    if (key === '__proto__' || !key.isWellFormed()) throw new TypeError('canonical JSON: a key is not allowed');
    if (i > 0 && keys[i - 1]! > key) sorted = false;
  }
  let copy: Record<string, unknown> | undefined = sorted ? undefined : {};
  if (!sorted) keys.sort();
  for (const key of keys) {
    const before = object[key];
    if (before === undefined) continue; // JSON.stringify leaves it out.
    const after = inKeyOrder(before, depth + 1);
    if (after === UNORDERABLE) orderable = false;
    else if (copy !== undefined && !sorted) copy[key] = after;
    else if (after !== before) {
      copy ??= { ...object };
      copy[key] = after;
    }
  }
  return orderable ? (copy ?? object) : UNORDERABLE;
}
