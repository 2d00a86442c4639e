// docs/reference/history.md, "Encoding".
import { createHash } from 'node:crypto';

/** RFC 8785: members in the order of their UTF-16 code units, texts and numbers as ECMAScript writes them. */
export function canon(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canon)}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canon(value[name])}`)}}`;
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
export const digestOf = (value) => sha256(canon(value));
