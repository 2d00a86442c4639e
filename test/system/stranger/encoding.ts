// Follows docs/reference/history.md; nothing of the product is imported here.
import { createHash } from 'node:crypto';

export type Value = null | boolean | number | string | Value[] | Fields;
export interface Fields {
  [key: string]: Value;
}

/** RFC 8785: members sorted by UTF-16 code units, texts and numbers as ECMAScript writes them. */
export function canon(value: Value): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canon).join(',')}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canon(value[key] as Value)}`).join(',')}}`;
}

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const digestOf = (value: Value): string => sha256(canon(value));

const NAME_SPACE = Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex');
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** UUIDv5 of canon([kind, …]) in the one name space, as 26 Crockford digits. */
export function id(...parts: Value[]): string {
  const uuid = createHash('sha1').update(NAME_SPACE).update(canon(parts)).digest().subarray(0, 16);
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x50;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  let left = BigInt(`0x${uuid.toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i++, left >>= 5n) text = (DIGITS[Number(left & 31n)] ?? '') + text;
  return text;
}

/** The x of `inbox-<x>`: the first 130 bits of a digest, 5 a digit. */
export function inboxId(ns: string, type: string, key: string): string {
  const bits = BigInt(`0x${digestOf([ns, type.replace(/\.v\d+$/, ''), key])}`)
    .toString(2)
    .padStart(256, '0');
  return Array.from({ length: 26 }, (_, i) => DIGITS[Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2)]).join('');
}
