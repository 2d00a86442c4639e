import type { JudgedFailure } from './failure.js';
import { codesIn, statusIn, statusOfCode } from './texts.js';

/** What a failure shows, gathered from wherever it stood. Bounded whatever was sent (B-28). */
export interface Signals {
  /** HTTP status from 400 on. */
  readonly status?: number;
  /** Header values by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Everything that may be a code or the name of an error, as written, the handler's first, then from outside in. */
  readonly codes: readonly string[];
  /** The message and those of bodies and causes, lower case, white space as one blank. */
  readonly text: string;
  /** Fields that may name a time, by lower-case name without separators. */
  readonly times: ReadonlyMap<string, string | number>;
}

/** Characters of one message, and of all, that are looked at: messages have 2 KiB (`capabilities.md` §4). */
const MESSAGE_MAX = 2_048;
const TEXT_MAX = 4_096;
const MESSAGES_MAX = 16;
/** Fields of details and bodies that are looked at: details have 8 KiB. */
const FIELDS_MAX = 400;
const DEPTH_MAX = 8;
/** Characters of a text that is read as JSON; larger ones are looked at as text. */
const BODY_MAX = 65_536;
const CODES_MAX = 64;
const CODE_LENGTH_MAX = 128;

const STATUS_KEYS: ReadonlySet<string> = new Set(['status', 'statuscode', 'httpstatus', 'httpstatuscode', 'httpcode', 'responsestatus']);
const CODE_KEYS: ReadonlySet<string> = new Set([
  'blockreason',
  'code',
  'codename',
  'error',
  'errorcode',
  'errorname',
  'errortype',
  'exception',
  'finishreason',
  'grpcstatus',
  'kind',
  'name',
  'quotaid',
  'reason',
  'sqlstate',
  'status',
  'stopreason',
  'type',
]);
const TEXT_KEYS: ReadonlySet<string> = new Set([
  'detail',
  'description',
  'error',
  'errordescription',
  'errormessage',
  'message',
  'msg',
  'title',
]);
const TIME_KEYS = /^(?:retryafter|retrydelay|resetat|resetsat|resettime|retryin|waitms|waitseconds)/;

type Fields = { readonly [name: string]: unknown };

/** A walk over one failure. Breadth first, so that what the handler said goes before what a body within a body says. */
class Walk {
  status: number | undefined;
  readonly headers = new Map<string, string>();
  readonly codes: string[] = [];
  readonly texts: string[] = [];
  readonly times = new Map<string, string | number>();
  private readonly open: { readonly value: object; readonly depth: number }[] = [];
  private fields = 0;

  message(text: string): void {
    if (this.texts.length >= MESSAGES_MAX) return;
    const cut = text.slice(0, MESSAGE_MAX);
    this.texts.push(cut);
    this.status ??= statusIn(cut);
    for (const code of codesIn(cut)) this.code(code);
    const brace = text.indexOf('{');
    if (brace >= 0) this.body(text.slice(brace, text.lastIndexOf('}') + 1));
  }

  code(code: string): void {
    if (code === '' || this.codes.length >= CODES_MAX || code.length > CODE_LENGTH_MAX) return;
    this.codes.push(code);
  }

  /** A body that came as text. */
  body(text: string): void {
    if (text.length > BODY_MAX || !/^\s*[[{]/.test(text)) return;
    try {
      this.push(JSON.parse(text), 0);
    } catch {
      // Not JSON, or cut: its codes were looked for as text.
    }
  }

  push(value: unknown, depth: number): void {
    if (typeof value === 'object' && value !== null && depth <= DEPTH_MAX) this.open.push({ value, depth });
  }

  run(): void {
    for (let next = this.open.shift(); next !== undefined && this.fields < FIELDS_MAX; next = this.open.shift()) {
      const { value, depth } = next;
      if (Array.isArray(value)) {
        for (const item of value.slice(0, FIELDS_MAX)) this.push(item, depth + 1);
        this.fields += 1;
        continue;
      }
      for (const key in value) {
        if (++this.fields > FIELDS_MAX) break;
        this.field(
          key
            .slice(0, CODE_LENGTH_MAX)
            .toLowerCase()
            .replaceAll(/[_\-$@.\s]/g, ''),
          (value as Fields)[key],
          depth,
        );
      }
    }
  }

  private field(key: string, value: unknown, depth: number): void {
    if (key === 'headers' || key === 'responseheaders') return this.readHeaders(value);
    if (typeof value === 'number' || typeof value === 'string') {
      if (TIME_KEYS.test(key)) this.times.set(key, value);
      if (typeof value === 'number') this.numberField(key, value);
      else this.textField(key, value);
    }
    this.push(value, depth + 1);
  }

  private numberField(key: string, value: number): void {
    if (STATUS_KEYS.has(key) || key === 'code' || key === 'errorcode') this.status ??= statusOfCode(String(value));
    if (CODE_KEYS.has(key) || key === 'errno') this.code(String(value));
  }

  private textField(key: string, value: string): void {
    if (STATUS_KEYS.has(key) || key === 'code') this.status ??= statusOfCode(value);
    if (CODE_KEYS.has(key) && !/\s/.test(value)) this.code(value);
    if (TEXT_KEYS.has(key)) this.message(value);
    else this.body(value);
  }

  private readHeaders(value: unknown): void {
    const pairs: readonly unknown[] = Array.isArray(value)
      ? value
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [];
    for (const pair of pairs.slice(0, FIELDS_MAX)) {
      if (!Array.isArray(pair)) continue;
      const [name, given] = pair as readonly unknown[];
      const text: unknown = Array.isArray(given) ? (given as readonly unknown[])[0] : given;
      if (typeof name === 'string' && (typeof text === 'string' || typeof text === 'number'))
        this.headers.set(name.toLowerCase(), String(text).slice(0, CODE_LENGTH_MAX).trim());
    }
  }
}

/** Gathers what can be recognised. Never throws. */
export function signalsOf({ code, message, details }: Pick<JudgedFailure, 'code' | 'message' | 'details'>): Signals {
  const walk = new Walk();
  if (typeof code === 'string') {
    walk.status = statusOfCode(code);
    walk.code(code);
  }
  walk.push(details, 0);
  walk.run();
  if (typeof message === 'string') walk.message(message);
  if (typeof details === 'string') walk.message(details);
  walk.run();
  const text = walk.texts.join(' ').slice(0, TEXT_MAX).toLowerCase().replaceAll(/\s+/g, ' ');
  const { status, headers, codes, times } = walk;
  return { ...(status === undefined ? {} : { status }), headers, codes, text, times };
}
