import { FAILURE_DETAILS_BYTES_MAX, type ReplyFailure } from '@cairn/contracts';
import { EXTERNAL_ID_MAX, type Instant, type JsonObject } from '@cairn/kernel';
import { jsonWithin } from './bounded-json.js';
import { cut, cutMessage } from './cut-text.js';
import { failureOf } from './thrown.js';
import { usageOf, type Usage } from './usage.js';

const SIDE_EFFECTS = ['none', 'applied', 'unknown'] as const;
type SideEffect = (typeof SIDE_EFFECTS)[number];

/** What a handler says about work that went wrong. All but one of `message`, `code` and `cause` may be left out. */
export interface FailureOptions {
  /** A hint (`capabilities.md` §3.5, buckets); the retry policy may judge otherwise. */
  readonly bucket?: string;
  readonly code?: string | number;
  readonly message?: string;
  /** When trying again makes sense: an instant, a date, or milliseconds from now. A time that is none is left out. */
  readonly retryAfter?: Instant | Date | number;
  /** Whether something happened outside. Silence means none of a task, and unknown of an effect. */
  readonly sideEffect?: SideEffect;
  /** A digest or tag of what was seen: a policy may ask for new evidence before it tries again. */
  readonly evidence?: string;
  /** At most 8 KiB as JSON; what is longer is cut and marked. */
  readonly details?: JsonObject;
  /** What was caught: gives whatever is not said here, such as an HTTP client's error its status, headers and body. */
  readonly cause?: unknown;
  /** A failed attempt costs, too. */
  readonly usage?: Usage;
}

/** What was said in `task.failure(…)`, by the error that carries it: looking here cannot throw, whatever was thrown. */
const said = new WeakMap<object, Said>();

interface Said {
  readonly failure: ReplyFailure;
  readonly usage?: Usage;
}

/** Thrown (or returned) by a handler to end its attempt as failed, made by `task.failure(…)`. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly failure: ReplyFailure;

  constructor(options: FailureOptions) {
    const { cause, usage } = options;
    const caught = cause === undefined ? undefined : saidBy(cause);
    const fallback = caught?.failure.message ?? text(options.code) ?? text(options.bucket) ?? 'failed';
    super(typeof options.message === 'string' ? options.message : fallback, cause === undefined ? undefined : { cause });
    this.failure = { ...caught?.failure, ...failureSaid(options, caught?.failure.details), message: cutMessage(this.message) };
    const spent = usageOf(usage) ?? caught?.usage;
    said.set(this, { failure: this.failure, ...(spent === undefined ? {} : { usage: spent }) });
  }
}

/** How an attempt failed that ended with this thrown: as it was said, or as it looks. Never throws. */
export function saidBy(thrown: unknown): Said {
  const known = typeof thrown === 'object' && thrown !== null ? said.get(thrown) : undefined;
  return known ?? { failure: failureOf(thrown) };
}

/** Also from plain JavaScript only what the server takes: one bad field must not cost the whole failure. */
function failureSaid(options: FailureOptions, before: JsonObject | undefined): Partial<ReplyFailure> {
  const [bucket, code, evidence] = [text(options.bucket), text(options.code), text(options.evidence)];
  const retryAfter = instant(options.retryAfter);
  const sideEffect = SIDE_EFFECTS.find((known) => known === options.sideEffect);
  const details = options.details === undefined ? undefined : joined(recordOf(options.details), before);
  return {
    ...(bucket === undefined ? {} : { bucket }),
    ...(code === undefined ? {} : { code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(sideEffect === undefined ? {} : { sideEffect }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(details === undefined ? {} : { details }),
  };
}

function recordOf(details: unknown): JsonObject {
  const json = jsonWithin(details, FAILURE_DETAILS_BYTES_MAX);
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : { value: json };
}

/** What the handler says comes first, and holds. */
function joined(own: JsonObject, before: JsonObject | undefined): JsonObject {
  return before === undefined ? own : recordOf({ ...own, ...before, ...own });
}

const text = (value: unknown): string | undefined =>
  (typeof value === 'string' && value !== '') || typeof value === 'number' ? cut(String(value), EXTERNAL_ID_MAX) : undefined;

/** An instant as it is stored: whole milliseconds, UTC. */
function instant(when: Instant | Date | number | undefined): Instant | undefined {
  if (when === undefined) return undefined;
  const at = typeof when === 'number' ? Date.now() + when : new Date(when).getTime();
  const date = new Date(Math.round(at));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
