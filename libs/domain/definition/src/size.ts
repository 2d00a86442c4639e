import type { Json } from '@cairn/kernel';

/** Bytes of a text in UTF-8. A lone surrogate counts as three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code < 0xdc00 && i + 1 < text.length) {
      bytes += 2; // Two units, four bytes.
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

/** Whether a text has more than so many bytes; long ones are not counted to their end. */
export function isTextLargerThan(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return false;
  return text.length > bytesMax || utf8Length(text) > bytesMax;
}

/** Whether a value's JSON has more than so many bytes. */
export function isLargerThan(value: Json, bytesMax: number): boolean {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return false;
  if (typeof value === 'string' && value.length * 6 <= bytesMax) return false; // Not even if every unit is escaped.
  return isTextLargerThan(JSON.stringify(value), bytesMax);
}
