import { controlType, parseInboundSubject, type InboundSubject } from '@cairn/contracts';
import { signalType } from '@cairn/domain-definition';
import { keyOf, type EventReceived, type EventTarget, type Problem } from '@cairn/domain-schedule';
import {
  EVENT_TYPE_MAX,
  EXTERNAL_ID_MAX,
  isEventType,
  isExternalId,
  isKey,
  JSON_DEPTH_MAX,
  KEY_MAX,
  parseRfc3339,
  withoutVersion,
  type FieldError,
  type Json,
  type JsonObject,
} from '@cairn/kernel';

/** Emits that may follow from one another before we call it a loop (`capabilities.md` §3.2). */
export const HOPS_MAX = 16;
/** CloudEvents: attribute names are lower-case letters and digits; twenty characters is what every binding carries. */
const EXTENSION_NAME = /^[a-z0-9]{1,20}$/;
const ATTRIBUTES = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'data_base64',
]);

/** Extension in which the gateway says that an event came over HTTP. It is told by the receipt's `via` and not kept beside it. */
export const VIA = 'cairnvia';

/** An event from outside that may be accepted. What it does is not known yet. */
export interface ParsedEvent {
  readonly ns: string;
  readonly event: Omit<EventReceived['data'], 'receiptId' | 'bodyDigest' | 'via' | 'data' | 'dataRef'>;
  readonly data: Json | undefined;
  /** It is what it should not be: accepted, and refused on its receipt. */
  readonly refusal?: Problem;
}

export type Parsed = { readonly ok: true; readonly parsed: ParsedEvent } | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Reads a CloudEvent in structured JSON from the subject it came on. Everything that is wrong is told at once. */
export function parseEvent(subject: string, body: JsonObject): Parsed {
  const place = parseInboundSubject(subject);
  if (place === undefined)
    return { ok: false, errors: [{ pointer: '', rule: 'subject', says: `nothing is taken in on ${subject.slice(0, 120)}` }] };
  const errors = checkAttributes(body);
  if (errors.length > 0) return { ok: false, errors };
  const event = body as { readonly [name: string]: string };
  const target = targetOf(place);
  const { type, key } = named(place, event);
  const misplaced = place.kind === 'event' && withoutVersion(type) !== place.type && type !== place.type;
  const refusal = misplaced ? misplacedType(place.type) : tooManyHops(hopsOf(body));
  return {
    ok: true,
    parsed: {
      ns: place.ns,
      event: {
        source: event['source']!,
        id: event['id']!,
        type,
        ...pick(event, 'subject'),
        ...(key === undefined ? {} : { key }),
        ...pick(event, 'time'),
        ...pick(event, 'dataschema'),
        ...(target === undefined ? {} : { target }),
        ...(place.kind === 'control' ? { control: { runId: place.runId, verb: place.verb } } : {}),
        extensions: extensionsOf(body),
      },
      data: body['data'],
      ...(refusal === undefined ? {} : { refusal }),
    },
  };
}

function checkAttributes(body: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const must = (name: string, holds: boolean, rule: string, says: string): void => {
    if (!holds) errors.push({ pointer: `/${name}`, rule, says });
  };
  must('specversion', body['specversion'] === '1.0', 'specversion', 'specversion is "1.0"');
  must('id', isExternalId(body['id']), 'text', `id is plain text of 1 to ${EXTERNAL_ID_MAX} characters`);
  must('source', isExternalId(body['source']), 'text', `source is plain text of 1 to ${EXTERNAL_ID_MAX} characters`);
  must(
    'type',
    isEventType(body['type']),
    'type',
    `type is up to 8 dot-separated tokens of a-z 0-9 _ -, at most ${EVENT_TYPE_MAX} characters`,
  );
  must('subject', optional(body['subject'], isExternalId), 'text', `subject is plain text of 1 to ${EXTERNAL_ID_MAX} characters`);
  must(
    'time',
    optional(body['time'], (text) => typeof text === 'string' && parseRfc3339(text) !== undefined),
    'time',
    'time is an RFC 3339 timestamp',
  );
  must('dataschema', optional(body['dataschema'], isExternalId), 'text', `dataschema is plain text of 1 to ${EXTERNAL_ID_MAX} characters`);
  must(
    'datacontenttype',
    optional(body['datacontenttype'], isJsonType),
    'media_type',
    'data is JSON: datacontenttype is application/json or ends in +json',
  );
  must('data_base64', body['data_base64'] === undefined, 'media_type', 'binary data is not taken: send a reference in JSON');
  must('cairnkey', optional(body['cairnkey'], isKey), 'key', `cairnkey is plain text of 1 to ${KEY_MAX} characters`);
  must('cairnhops', optional(body['cairnhops'], isHops), 'hops', 'cairnhops is a whole number');
  must('data', depthWithin(body['data'], JSON_DEPTH_MAX), 'depth', `data is nested at most ${JSON_DEPTH_MAX} deep`);
  for (const [name, value] of Object.entries(body)) {
    if (ATTRIBUTES.has(name)) continue;
    must(
      name,
      EXTENSION_NAME.test(name) && (value === null || typeof value !== 'object'),
      'extension',
      'an extension is a-z 0-9 with a text, number or bool',
    );
  }
  return errors;
}

const optional = (value: unknown, holds: (value: unknown) => boolean): boolean => value === undefined || holds(value);
const isJsonType = (value: unknown): boolean => typeof value === 'string' && /^(application|text)\/([a-z0-9.+-]+\+)?json\b/i.test(value);
const isHops = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'string') && Number.isSafeInteger(Number(value)) && Number(value) >= 0;

/** Walks level by level, so that a hostile nesting overflows nothing. */
function depthWithin(value: unknown, max: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}

/** Type and key of the event. What is sent to one run is named by its subject, whatever its sender calls it. */
function named(
  place: InboundSubject,
  event: { readonly [name: string]: string },
): { readonly type: string; readonly key: string | undefined } {
  switch (place.kind) {
    case 'signal':
      return { type: signalType(place.signal), key: place.runId };
    case 'control':
      return { type: controlType(place.verb), key: place.runId };
    default:
      return { type: event['type']!, key: keyOf({ ...pick(event, 'cairnkey'), ...pickKey(event) }) };
  }
}

function targetOf(place: InboundSubject): EventTarget | undefined {
  switch (place.kind) {
    case 'event':
    case 'control':
      return undefined;
    case 'start':
      return { kind: 'start', workflow: place.workflow };
    case 'signal':
      return { kind: 'signal', runId: place.runId, name: place.signal };
  }
}

/** Emits that led here. Anything but a whole number counts as none: the check of attributes has told. */
export const hopsOf = (extensions: JsonObject): number => (isHops(extensions['cairnhops']) ? Number(extensions['cairnhops']) : 0);

/** Runs that start each other in a circle end here. */
export const tooManyHops = (hops: number): Problem | undefined =>
  hops <= HOPS_MAX
    ? undefined
    : problemOf('hops_exceeded', { pointer: '/cairnhops', rule: 'hops', says: `at most ${HOPS_MAX} emits may follow from one another` });

const misplacedType = (tail: string): Problem =>
  problemOf('subject_mismatch', {
    pointer: '/type',
    rule: 'subject',
    says: `the type without its version must be ${tail}, the end of the subject`,
  });

export const problemOf = (code: string, ...errors: readonly FieldError[]): Problem => ({ code, detail: errors[0]?.says ?? code, errors });

const pick = (event: { readonly [name: string]: string }, name: string): { readonly [name: string]: string } =>
  event[name] === undefined ? {} : { [name]: event[name] };

/** A subject that is too long for a key, or holds what a key may not, is no key. */
const pickKey = (event: { readonly [name: string]: string }): { readonly [name: string]: string } =>
  isKey(event['subject']) ? { subject: event['subject'] } : {};

function extensionsOf(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !ATTRIBUTES.has(name) && name !== VIA));
}
