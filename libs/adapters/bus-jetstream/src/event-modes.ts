import type { Json, JsonObject } from '@cairn/kernel';
import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import { readJson, readObject, tooLargeFor, type Read } from './wire.js';

const STRUCTURED = 'application/cloudevents+json';
/** Of a batch, or of another format, which nobody here reads. */
const OTHER_EVENTS = /^application\/cloudevents/;
const JSON_TYPE = /^(application|text)\/([a-z0-9.+-]+\+)?json$/;
const CE_PREFIX = 'ce-';
/** A CloudEvents attribute's name: lower-case letters and digits (CloudEvents 1.0 §"Attribute Naming Convention"). */
const CE_NAME = /^[a-z0-9]{1,64}$/;

/**
 * The body of a message, of whichever mode of CloudEvents: structured, or binary, where `ce-*` headers hold the attributes,
 * percent-encoded, and the bytes are the data. `Content-Type` decides, then `ce-specversion`; without either it is structured, or a
 * message of ours. Either way the body is the structured form, so that nobody behind this knows of modes.
 */
export function read(message: Msg): Read {
  const fields = message.headers === undefined ? new Map<string, readonly string[]>() : fieldsOf(message.headers);
  const [encoding] = fields.get('content-encoding') ?? [];
  const [contentType = ''] = fields.get('content-type') ?? [];
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  const isBinary = fields.has('ce-specversion') && !OTHER_EVENTS.test(mediaType);
  const content = isBinary ? readBinary(fields, contentType, message.data) : readStructured(mediaType, message.data);
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return content;
  const attributes = 'body' in content ? content.body : content.attributes;
  return { unreadable: `content-encoding ${encoding.slice(0, 40)} is not understood`, ...(attributes && { attributes }) };
}

function readStructured(mediaType: string, data: Uint8Array): Read {
  if (OTHER_EVENTS.test(mediaType) && mediaType !== STRUCTURED) return { unreadable: `${mediaType.slice(0, 80)} is not understood` };
  return readObject(data);
}

function readBinary(fields: Fields, contentType: string, data: Uint8Array): Read {
  const { attributes, problem } = attributesOf(fields);
  if (problem !== undefined) return { unreadable: problem, attributes };
  const declared = contentType || attributes['datacontenttype']; // Some write it as an attribute (cloudevents/sdk-go#1334).
  const type = typeof declared === 'string' && declared !== '' ? { datacontenttype: declared } : {};
  const event = { ...attributes, ...type };
  if (data.length === 0) return { body: event };
  const isJson = typeof declared !== 'string' || declared === '' || JSON_TYPE.test(declared.split(';', 1)[0]!.trim().toLowerCase());
  const tooLarge = tooLargeFor(data);
  if (tooLarge !== undefined) return { ...tooLarge, attributes: event };
  if (!isJson) return { body: { ...event, data_base64: Buffer.from(data).toString('base64') } };
  const content = readJson(data);
  return 'value' in content ? { body: { ...event, data: content.value } } : { ...content, attributes: event };
}

/** By lower-case name: clients differ in how they write a header. */
type Fields = ReadonlyMap<string, readonly string[]>;

function fieldsOf(headers: MsgHdrs): Fields {
  const fields = new Map<string, readonly string[]>();
  for (const name of headers.keys()) {
    const key = name.toLowerCase();
    fields.set(key, [...(fields.get(key) ?? []), ...headers.values(name)]);
  }
  return fields;
}

/** The attributes, up to the first header that is none. */
function attributesOf(fields: Fields): { readonly attributes: JsonObject; readonly problem?: string } {
  const attributes: Record<string, Json> = {};
  for (const [header, values] of fields) {
    if (!header.startsWith(CE_PREFIX)) continue;
    const name = header.slice(CE_PREFIX.length);
    const [value = ''] = values;
    const text = decoded(value);
    const because = problemOf(name, values, text);
    if (because !== undefined) return { problem: `the header ${header.slice(0, 80)} ${because}`, attributes };
    attributes[name] = text ?? value;
  }
  return { attributes };
}

function problemOf(name: string, values: readonly string[], text: string | undefined): string | undefined {
  if (!CE_NAME.test(name) || name === 'data') return 'is no attribute of CloudEvents';
  if (values.length > 1) return 'stands more than once';
  return text === undefined ? 'is not percent-encoded UTF-8' : undefined;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
