import { JSON_DEPTH_MAX, type Json } from '@cairn/kernel';

/** Names that reach a prototype where somebody copies an object carelessly. */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'prototype']);

/**
 * What is wrong with a value that `JSON.parse` gave of a stranger's bytes, as a sentence, or `undefined`: what may be stored is nested at
 * most `JSON_DEPTH_MAX` deep, and holds finite numbers, exact integers, whole Unicode and no name that reaches a prototype (B-4 to B-7).
 * Walks with lists of its own, level by level, since depth must cost no stack.
 */
export function foreignJson(value: Json): string | undefined {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inside: Json[] = [];
    for (const item of level) {
      const wrong = wrongWith(item, inside);
      if (wrong !== undefined) return wrong;
    }
    if (depth >= JSON_DEPTH_MAX && inside.length > 0) return `it is nested deeper than ${JSON_DEPTH_MAX}`;
    level = inside;
  }
  return undefined;
}

function wrongWith(item: Json, inside: Json[]): string | undefined {
  if (typeof item === 'string') return item.isWellFormed() ? undefined : 'a text holds half a surrogate pair';
  if (typeof item === 'number') {
    if (!Number.isFinite(item)) return 'a number is beyond what a double can hold';
    return Number.isInteger(item) && !Number.isSafeInteger(item) && Math.abs(item) < 1e21
      ? 'an integer is beyond 2^53; send it as text'
      : undefined;
  }
  if (typeof item !== 'object' || item === null) return undefined;
  if (Array.isArray(item)) {
    for (const part of item as readonly Json[]) inside.push(part);
    return undefined;
  }
  for (const [name, part] of Object.entries(item)) {
    if (FORBIDDEN_NAMES.has(name)) return 'a field bears a name that no field may bear';
    if (!name.isWellFormed()) return 'the name of a field holds half a surrogate pair';
    inside.push(part);
  }
  return undefined;
}
