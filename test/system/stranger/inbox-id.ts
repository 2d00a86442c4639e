// Follows docs/reference/history.md; nothing of the product is imported here.
import { digestOf } from '../../../examples/read-the-history/encoding.mjs';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** The x of `inbox-<x>`: the first 130 bits of a digest, 5 a digit. */
export function inboxId(ns: string, type: string, key: string): string {
  const bits = BigInt(`0x${digestOf([ns, type.replace(/\.v\d+$/, ''), key])}`)
    .toString(2)
    .padStart(256, '0');
  return Array.from({ length: 26 }, (_, i) => DIGITS[Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2)]).join('');
}
