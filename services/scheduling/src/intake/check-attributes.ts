import {
  EVENT_TYPE_MAX,
  EXTERNAL_ID_MAX,
  isEventType,
  isExternalId,
  isKey,
  KEY_MAX,
  parseRfc3339,
  type FieldError,
  type Json,
  type JsonObject,
} from '@cairn/kernel';
import { faultOfData } from './check-data.js';

/** CloudEvents: attribute names are lower-case letters and digits; twenty characters is what every binding carries. */
const EXTENSION_NAME = /^[a-z0-9]{1,20}$/;
/** Extensions of one event, and characters of a text among them: they are stored beside the data, and an event has 256 KiB. */
const EXTENSIONS_MAX = 64;
const EXTENSION_CHARACTERS_MAX = 1_024;
/** What is wrong is told at once, but not without end. */
const ERRORS_TOLD_MAX = 20;
/** Characters of a name that a pointer quotes. */
const POINTER_NAME_MAX = 64;

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

/** Everything about a CloudEvent that is not as it must be, the first twenty. */
export function checkAttributes(body: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const must = (name: string, holds: boolean, rule: string, says: string): void => {
    if (!holds && errors.length < ERRORS_TOLD_MAX) errors.push({ pointer: pointerTo(name), rule, says });
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
  must('time', optional(body['time'], isTime), 'time', 'time is an RFC 3339 timestamp');
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
  const fault = faultOfData(body['data']);
  must('data', fault === undefined, fault?.rule ?? '', fault?.says ?? '');
  const extensions = Object.entries(body).filter(([name]) => !ATTRIBUTES.has(name));
  must('', extensions.length <= EXTENSIONS_MAX, 'too_many', `at most ${EXTENSIONS_MAX} extensions`);
  for (const [name, value] of extensions)
    must(
      name,
      isExtension(name, value),
      'extension',
      `an extension is 1 to 20 of a-z 0-9 with a number, a bool or text of at most ${EXTENSION_CHARACTERS_MAX} characters`,
    );
  return errors;
}

/** The extensions that are as they must be. */
export function extensionsOf(body: JsonObject): JsonObject {
  const extensions = Object.entries(body).filter(([name, value]) => !ATTRIBUTES.has(name) && name !== VIA && isExtension(name, value));
  return Object.fromEntries(extensions.slice(0, EXTENSIONS_MAX));
}

export const isTime = (value: unknown): boolean => typeof value === 'string' && parseRfc3339(value) !== undefined;

/** Emits that led here. Anything but a whole number counts as none: the check of attributes has told. */
export const hopsOf = (extensions: JsonObject): number => (isHops(extensions['cairnhops']) ? Number(extensions['cairnhops']) : 0);

const optional = (value: unknown, holds: (value: unknown) => boolean): boolean => value === undefined || holds(value);
const isJsonType = (value: unknown): boolean => typeof value === 'string' && /^(application|text)\/([a-z0-9.+-]+\+)?json\b/i.test(value);
const isHops = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'string') && Number.isSafeInteger(Number(value)) && Number(value) >= 0;

/** CloudEvents let an attribute be null for absent. */
function isExtension(name: string, value: Json | undefined): boolean {
  if (!EXTENSION_NAME.test(name)) return false;
  if (typeof value === 'string') return value.length <= EXTENSION_CHARACTERS_MAX && value.isWellFormed();
  return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean' || value === null;
}

/** RFC 6901, of a name that may be anything: it says where, and is no echo. */
function pointerTo(name: string): string {
  return name === '' ? '' : `/${name.slice(0, POINTER_NAME_MAX).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
