import { canon, sha256Hex, type Json } from '@cairn/kernel';

/**
 * What an effect means: sha256 hex of canon([[pointer, value], …]) over the named fields of its input in their declared order, or of
 * [["", input]] (`history.md` §2). A field that the input does not have counts as null.
 */
export function fingerprintOf(fields: readonly string[] | null, input: Json): string {
  const pairs = (fields ?? ['']).map((pointer): [string, Json] => [pointer, valueAt(input, pointer)]);
  return sha256Hex(canon(pairs));
}

/** RFC 6901, without an error: what is not there is null. */
function valueAt(root: Json, pointer: string): Json {
  let value: Json = root;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null || typeof value !== 'object') return null;
    if (Array.isArray(value)) value = /^(0|[1-9]\d*)$/.test(part) ? ((value as readonly Json[])[Number(part)] ?? null) : null;
    else value = Object.hasOwn(value, part) ? ((value as { readonly [key: string]: Json })[part] ?? null) : null;
  }
  return value;
}
