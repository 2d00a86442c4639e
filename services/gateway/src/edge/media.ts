import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from '@cairn/kernel';
import { parseBody } from './json-body.js';
import type { RawBody } from './read-body.js';
import { refuse } from './refused.js';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const STRUCTURED_TYPE = 'application/cloudevents+json';
const YAML_TYPES: ReadonlySet<string> = new Set(['application/yaml', 'application/x-yaml', 'text/yaml']);
const CE_PREFIX = 'ce-';
/** A CloudEvents attribute's name: lower-case letters and digits (CloudEvents 1.0 §"Attribute Naming Convention"). */
const CE_NAME = /^[a-z0-9]{1,64}$/;

/** Type and character set of a `Content-Type`; `''` where there is none. Anything but UTF-8 is refused. */
function mediaTypeOf(header: string | undefined): string {
  if (header === undefined || header === JSON_TYPE) return header ?? ''; // Nearly every request.
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  for (const parameter of parameters) {
    const [name, value] = parameter.split('=').map((part) => part.trim().replaceAll('"', ''));
    if (name === 'charset' && value !== 'utf-8' && value !== 'utf8') refuse('media_type_unsupported', 'Only UTF-8 is read.');
  }
  return type;
}

/** The JSON of a command's body (B-9: nothing else is taken for JSON). */
export function readJson(body: RawBody | undefined): Json {
  if (body === undefined) return refuse('invalid_json', 'The body is empty.');
  if (mediaTypeOf(body.contentType) !== JSON_TYPE) refuse('media_type_unsupported', `The body must be ${JSON_TYPE}.`);
  return parseBody(body.bytes);
}

/** Like `readJson`; no body at all reads as `{}`. */
export function readOptionalJson(body: RawBody | undefined): Json {
  return body === undefined || body.bytes.length === 0 ? {} : readJson(body);
}

/**
 * What is sent to a callback's link, by whoever has it: JSON, or nothing. `curl -d` and the button of our own page call their bodies a form;
 * what is JSON under that name is read, and a form's fields are not.
 */
export function readCallbackJson(body: RawBody | undefined): Json | undefined {
  if (body === undefined || body.bytes.length === 0) return undefined;
  const type = mediaTypeOf(body.contentType);
  if (type !== JSON_TYPE && type !== FORM_TYPE) return refuse('media_type_unsupported', `The body must be ${JSON_TYPE}.`);
  return parseBody(body.bytes);
}

/** A document that may be written as YAML: the parsed JSON, or the text of the YAML. */
export function readDocument(
  body: RawBody | undefined,
): { readonly kind: 'json'; readonly document: Json } | { readonly kind: 'yaml'; readonly text: string } {
  if (body === undefined || !YAML_TYPES.has(mediaTypeOf(body.contentType))) return { kind: 'json', document: readJson(body) };
  try {
    return { kind: 'yaml', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body.bytes) };
  } catch {
    return refuse('invalid_json', 'The body is not UTF-8.');
  }
}

/**
 * A CloudEvent of either mode of the HTTP binding 1.0: structured (`application/cloudevents+json`, or plain JSON), or binary, where
 * `ce-*` headers hold the attributes, percent-encoded, and the body is the data. `Content-Type` decides, then `ce-specversion`.
 */
export function readCloudEvent(headers: IncomingHttpHeaders, body: RawBody | undefined): Json {
  const type = mediaTypeOf(body?.contentType);
  if (type === STRUCTURED_TYPE && body !== undefined) return parseBody(body.bytes);
  if (headers['ce-specversion'] === undefined) return readJson(body);
  const event: Record<string, Json> = attributesOf(headers);
  if (body === undefined || body.bytes.length === 0) return event;
  if (type !== JSON_TYPE && !type.endsWith('+json')) refuse('media_type_unsupported', 'The data of an event must be JSON.');
  return { ...event, datacontenttype: type, data: parseBody(body.bytes) };
}

function attributesOf(headers: IncomingHttpHeaders): Record<string, Json> {
  const attributes: Record<string, Json> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(CE_PREFIX)) continue;
    const name = header.slice(CE_PREFIX.length);
    if (!CE_NAME.test(name) || name === 'data' || typeof value !== 'string')
      refuse('invalid_header', 'A ce- header is not an attribute of CloudEvents.');
    const text = decode(value);
    attributes[name] = name === 'cairnhops' ? Number(text) : text;
  }
  return attributes;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return refuse('invalid_header', 'A ce- header is not percent-encoded UTF-8.');
  }
}
