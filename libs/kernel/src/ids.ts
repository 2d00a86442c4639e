import { hash } from 'node:crypto';
import { canon } from './canonical.js';
import { sha256Hex } from './digest.js';

/** 26 lower-case Crockford base-32 characters: the 128 bits of a UUID with two zero bits on the left. */
export type Id = string;

/** The name space of every v5 id of Cairn. Changing it would rename everything that was ever stored. */
const NAMESPACE = Buffer.from('6f1d3c52a9e84b5c9d07c41b5e2f8a63', 'hex');

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const ID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The id of a thing: UUIDv5(NS, canonical [kind, …parts]) as 26 characters. Equal parts give the equal id, on every machine. */
export function idOf(kind: IdKind, ...parts: readonly (string | number)[]): Id {
  const name = canon([kind, ...parts]);
  const bytes = 16 + Buffer.byteLength(name);
  if (bytes > scratch.length) scratch = Buffer.concat([NAMESPACE], 2 * bytes);
  scratch.write(name, 16);
  const digest = hash('sha1', scratch.subarray(0, bytes), 'binary'); // A text of bytes: cheaper to get at than a buffer.
  for (let i = 0; i < 16; i++) uuid[i] = digest.charCodeAt(i);
  uuid[6] = (uuid[6]! & 0x0f) | 0x50; // version 5
  uuid[8] = (uuid[8]! & 0x3f) | 0x80; // RFC 9562 variant
  return crockford(uuid);
}

/** Reused between calls: an id is made for every event and every attempt. */
let scratch = Buffer.concat([NAMESPACE], 1_024);
const uuid = new Uint8Array(16);

/** What ids are made of (`history.md` §1): run [ns, workflow, key] · run-event [ns, workflow, source, eventId] · … */
export type IdKind = 'run' | 'run-event' | 'receipt' | 'event' | 'attempt' | 'wait' | 'timer' | 'emit' | 'review' | 'command' | 'random';

/** 16 bytes as 26 characters, most significant bits first, two zero bits on the left. Throws on another length. */
export function crockford(bytes: Uint8Array): Id {
  if (bytes.length !== 16) throw new RangeError('crockford: 16 bytes');
  let text = CROCKFORD[bytes[0]! >> 5]!; // 2 zero bits + 3 bits
  let value = bytes[0]! & 0x1f;
  let bits = 5;
  for (let i = 1; i <= 16; i++) {
    while (bits >= 5) {
      text += CROCKFORD[(value >> (bits - 5)) & 0x1f];
      bits -= 5;
    }
    if (i < 16) {
      value = ((value & ((1 << bits) - 1)) << 8) | bytes[i]!;
      bits += 8;
    }
  }
  return text;
}

/** Whether a text is an id. Nothing else may become a token of a subject or a part of a stream's name. */
export function isId(text: unknown): text is Id {
  return typeof text === 'string' && ID.test(text);
}

/** The last part of `inbox-<x>`: first 26 Crockford characters of sha256(canonical [ns, type without version, key]). */
export function inboxHash(ns: string, type: string, key: string): Id {
  const bytes = Buffer.from(sha256Hex(canon([ns, withoutVersion(type), key])), 'hex');
  let text = '';
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < 26) {
      text += CROCKFORD[(value >> (bits - 5)) & 0x1f];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return text;
}

/** A type without its `.v<n>` ending, by which events are matched and kept. */
export function withoutVersion(type: string): string {
  return type.replace(/\.v[0-9]+$/, '');
}

/** How many partitions the runs are spread over. A token of every subject that concerns a run; fixed for ever. */
export const PARTITIONS = 64;

/** FNV-1a-32 of the run id mod 64. */
export function partitionOf(runId: Id): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < runId.length; i++) {
    value ^= runId.charCodeAt(i);
    value = Math.imul(value, 0x01000193);
  }
  return (value >>> 0) % PARTITIONS;
}
