import type { Json } from '@cairn/kernel';
import { pointerParts } from './pointer.js';

/**
 * What stands in the history where a task is given a callback's token (`capabilities.md` §5.2): who reads a history or a bundle learns which
 * link was handed out, and can do nothing with it. Closed on both sides, so that no reference is the beginning of another.
 */
export const callbackReference = (wait: string, name: string): string => `{callback:${wait}.${name}}`;

/**
 * The value with each of these references, in the texts at and below the pointer, replaced by its token. Nothing else is looked at: what
 * came from outside may say what it likes and is given no token.
 */
export function withCallbackTokens(value: Json, pointer: string, tokens: ReadonlyMap<string, string>): Json {
  return replaceAt(value, pointerParts(pointer), (found) => replaceIn(found, tokens));
}

function replaceAt(value: Json, [part, ...rest]: readonly string[], replace: (found: Json) => Json): Json {
  if (part === undefined) return replace(value);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return value; // A branch has changed it.
  if (Array.isArray(value))
    return (value as readonly Json[]).map((item, i) => (String(i) === part ? replaceAt(item, rest, replace) : item));
  const fields = value as { readonly [name: string]: Json };
  return { ...fields, [part]: replaceAt(fields[part] ?? null, rest, replace) };
}

function replaceIn(value: Json, tokens: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return [...tokens].reduce((text, [reference, token]) => text.replaceAll(reference, token), value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => replaceIn(item, tokens));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaceIn(item as Json, tokens)]));
}
