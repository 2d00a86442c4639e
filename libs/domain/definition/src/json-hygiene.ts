import { at } from './pointer.js';
import type { Problems } from './problems.js';

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'toJSON']);

/**
 * Whether a value is JSON that may be compiled, hashed and stored; what is not is reported with its pointer.
 * Refused: what JSON cannot hold (B-1, B-4), integers beyond 2^53, keys that reach a prototype or a serialiser (B-5), lone surrogates (B-7), depth, size.
 * Walks with a list of its own, so that no depth can overflow the stack, and stops at `nodesMax`.
 */
export function checkJson(document: unknown, limits: { depthMax: number; nodesMax: number }, problems: Problems): boolean {
  const before = problems.errors.length;
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value: document, pointer: '', depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, pointer, depth } = next;
    nodes += 1;
    if (nodes > limits.nodesMax) {
      problems.error('', 'too_large', `more than ${limits.nodesMax} values`);
      break;
    }
    if (typeof value !== 'object' || value === null) {
      checkScalar(value, pointer, problems);
      continue;
    }
    if (depth > limits.depthMax) {
      problems.error(pointer, 'too_deep', `nested deeper than ${limits.depthMax}`);
      continue;
    }
    if (Array.isArray(value)) {
      for (let i = Math.min(value.length, limits.nodesMax) - 1; i >= 0; i--)
        open.push({ value: value[i], pointer: at(pointer, i), depth: depth + 1 });
      continue;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      problems.error(pointer, 'not_json', 'only plain objects');
      continue;
    }
    for (const [key, child] of Object.entries(value).reverse()) {
      if (child === undefined) continue; // As `JSON.stringify` does.
      checkKey(key, child, pointer, problems);
      open.push({ value: child, pointer: at(pointer, key), depth: depth + 1 });
    }
  }
  return problems.errors.length === before;
}

function checkKey(key: string, child: unknown, pointer: string, problems: Problems): void {
  const reachesPrototype = key === 'constructor' && typeof child === 'object' && child !== null && Object.hasOwn(child, 'prototype');
  if (FORBIDDEN_KEYS.has(key) || reachesPrototype) problems.error(at(pointer, key), 'forbidden_key', `a field may not be named ${key}`);
  else if (!key.isWellFormed()) problems.error(pointer, 'not_unicode', 'a field name holds half a surrogate pair');
}

function checkScalar(value: unknown, pointer: string, problems: Problems): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) problems.error(pointer, 'not_unicode', 'a text holds half a surrogate pair');
      return;
    case 'number':
      if (!Number.isFinite(value)) problems.error(pointer, 'number_range', 'a number must be finite');
      else if (Number.isInteger(value) && !Number.isSafeInteger(value))
        problems.error(pointer, 'number_range', 'an integer beyond 2^53 loses digits; write it as a text');
      return;
    case 'boolean':
    case 'object':
      return;
    default:
      problems.error(pointer, 'not_json', `${typeof value} is not JSON`);
  }
}
