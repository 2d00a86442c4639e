/** Token rules (`reliability.md` §6.1). Each is the whole text. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const NAMESPACE = /^[a-z][a-z0-9]{0,31}$/;
const BRANCH = /^(main|b[1-9][0-9]{0,3})$/;
const EVENT_TYPE = /^[a-z0-9_-]+(\.[a-z0-9_-]+){0,7}$/;

/** Characters of an event type at most. */
export const EVENT_TYPE_MAX = 200;
/** Characters of a user's key at most. Keys are hashed before they enter a stream or subject name. */
export const KEY_MAX = 256;
/** Characters of any other text from outside that serves as an id or source: a URI is longer than a key. */
export const EXTERNAL_ID_MAX = 512;

export const isName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text);
/** Stands where a namespace stands in paths (`/v1/callbacks/{token}`), and is asked for no bearer token: no namespace may be called so. */
const NOT_A_NAMESPACE = 'callbacks';
export const isNamespace = (text: unknown): text is string => typeof text === 'string' && NAMESPACE.test(text) && text !== NOT_A_NAMESPACE;
export const isBranch = (text: unknown): text is string => typeof text === 'string' && BRANCH.test(text);
/** At most 8 dot-separated tokens `[a-z0-9_-]+`, at most 200 characters. A `.v<n>` ending counts as one of the tokens. */
export const isEventType = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= EVENT_TYPE_MAX && EVENT_TYPE.test(text);

/** Controls (C0, DEL, C1), line separators, bidirectional overrides, zero-width marks, BOM and lone surrogates: never in an id or key. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

export const isPlainText = (text: unknown, max: number): text is string =>
  typeof text === 'string' && text.length >= 1 && text.length <= max && !FORBIDDEN.test(text) && text.isWellFormed();

export const isKey = (text: unknown): text is string => isPlainText(text, KEY_MAX);
export const isExternalId = (text: unknown): text is string => isPlainText(text, EXTERNAL_ID_MAX);
