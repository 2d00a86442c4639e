import type { Json, JsonObject } from '@cairn/kernel';
import { BusFault, MESSAGE_BYTES_MAX, type OutgoingMessage } from '@cairn/ports';
import type { Msg } from '@nats-io/nats-core';

/** What the server de-duplicates by, and the id of most messages. */
export const MESSAGE_ID = 'Nats-Msg-Id';
/** The id of a message whose `Nats-Msg-Id` is made for one asking of it. */
export const ASKED_ID = 'Cairn-Message-Id';
/** When the server drops the message unread. */
export const TTL = 'Nats-TTL';
/** The inbox that waits for the outcome. */
export const ANSWER_TO = 'Cairn-Answer-To';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** The body's bytes. Throws `BusFault('message_too_large')`. */
export function bytesOf({ subject, body }: OutgoingMessage): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(body));
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new BusFault('message_too_large', `${subject}: ${bytes.length} bytes, at most ${MESSAGE_BYTES_MAX}`);
  }
  return bytes;
}

/** A server counts in whole seconds, from one. */
export const ttlOf = (expiresMs: number): string => `${Math.max(1, Math.ceil(expiresMs / 1_000))}s`;

export const bytesOfAnswer = (answer: JsonObject): Uint8Array => encoder.encode(JSON.stringify(answer));

/** What arrived, or the sentence that says why it is no message at all (F-36). Anybody may publish on the bus. */
export type Read = { readonly body: JsonObject } | Unreadable;

export interface Unreadable {
  readonly unreadable: string;
  /** What its headers said of it all the same. */
  readonly attributes?: JsonObject;
}

/**
 * Nesting of a body at most. What may be stored is refused with a receipt far below (`JSON_DEPTH_MAX`); what is deeper than this could
 * overflow the stack of whoever walks it, and is not even parsed.
 */
export const BODY_DEPTH_MAX = 512;

/** A body that is a JSON object. */
export function readObject(data: Uint8Array): Read {
  const read = readJson(data);
  if ('unreadable' in read) return read;
  return isObject(read.value) ? { body: read.value } : { unreadable: 'the body is not a JSON object' };
}

/** Any JSON within the bounds of a message. */
export function readJson(data: Uint8Array): { readonly value: Json } | Unreadable {
  const tooLarge = tooLargeFor(data);
  if (tooLarge !== undefined) return tooLarge;
  if (isTooDeep(data)) return { unreadable: `the body is nested deeper than ${BODY_DEPTH_MAX}` };
  try {
    return { value: JSON.parse(decoder.decode(data)) as Json };
  } catch (error) {
    return { unreadable: error instanceof SyntaxError ? 'the body is not JSON' : 'the body is not UTF-8' };
  }
}

export const tooLargeFor = ({ length }: Uint8Array): Unreadable | undefined =>
  length > MESSAGE_BYTES_MAX ? { unreadable: `${length} bytes, at most ${MESSAGE_BYTES_MAX}` } : undefined;

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Counts brackets outside of texts: depth must cost no stack. */
function isTooDeep(data: Uint8Array): boolean {
  if (data.length <= BODY_DEPTH_MAX) return false;
  let depth = 0;
  let inText = false;
  for (let i = 0; i < data.length; i++) {
    const byte = data[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth > BODY_DEPTH_MAX) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** The id of a message: from our headers, else the CloudEvent's own, else its place in the bus stream, which is unique as well. */
export function idOf(message: Msg, body: JsonObject, place: string): string {
  const given = message.headers?.get(ASKED_ID) || message.headers?.get(MESSAGE_ID) || body['id'];
  return typeof given === 'string' && given !== '' ? given : place;
}

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
