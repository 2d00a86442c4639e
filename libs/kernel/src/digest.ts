import { createHash, hash } from 'node:crypto';

/** SHA-256 of a UTF-8 text, 64 lower-case hex characters. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** SHA-256 of bytes, 64 lower-case hex characters. */
export function sha256HexOfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A document's or artifact's digest as it is written down: `sha256:<hex>`. */
export function prefixedSha256(hex: string): string {
  return `sha256:${hex}`;
}
