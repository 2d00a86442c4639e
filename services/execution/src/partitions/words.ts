import type { Json } from '@cairn/kernel';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** A value as it goes over the line. */
export const toBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** What came over the line as JSON, or `undefined`: it is none. */
export function fromBytes(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(decoder.decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}
