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
export type Read = { readonly body: JsonObject } | { readonly unreadable: string };

export function read(data: Uint8Array): Read {
  if (data.length > MESSAGE_BYTES_MAX) return { unreadable: `${data.length} bytes, at most ${MESSAGE_BYTES_MAX}` };
  let value: Json;
  try {
    value = JSON.parse(decoder.decode(data)) as Json;
  } catch (error) {
    return { unreadable: error instanceof SyntaxError ? 'the body is not JSON' : 'the body is not UTF-8' };
  }
  return isObject(value) ? { body: value } : { unreadable: 'the body is not a JSON object' };
}

/** The id of a message: from our headers, else the CloudEvent's own, else its place in the bus stream, which is unique as well. */
export function idOf(message: Msg, body: JsonObject, place: string): string {
  const given = message.headers?.get(ASKED_ID) || message.headers?.get(MESSAGE_ID) || body['id'];
  return typeof given === 'string' && given !== '' ? given : place;
}

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
