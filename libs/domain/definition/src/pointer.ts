import type { Json } from '@cairn/kernel';

/** What an RFC 6901 pointer looks like. */
export const POINTER_PATTERN = '^(/([^/~]|~[01])*)*$';
/** The pointer to the whole value. */
export const WHOLE = '';

const INDEX = /^(0|[1-9][0-9]*)$/;

/** A pointer below another: `at('/steps', 3, 'id')` is `/steps/3/id`. */
export function at(base: string, ...parts: readonly (string | number)[]): string {
  return parts.reduce<string>((path, part) => `${path}/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`, base);
}

/** The unescaped parts of a pointer that fits `POINTER_PATTERN`. */
export function pointerParts(pointer: string): string[] {
  if (pointer === WHOLE) return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands at a pointer, or `undefined` if nothing does. Only a value's own fields are seen; `-`, the place behind a list, is empty. */
export function readPointer(value: Json, pointer: string): Json | undefined {
  return pointerParts(pointer).reduce<Json | undefined>(memberOf, value);
}

/** One part of a pointer: an object's field or a list's item. */
export function memberOf(value: Json | undefined, part: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return INDEX.test(part) ? (value as readonly Json[])[Number(part)] : undefined;
  return Object.hasOwn(value, part) ? (value as { readonly [field: string]: Json })[part] : undefined;
}
