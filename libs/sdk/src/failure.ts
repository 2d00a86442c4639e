import { FAILURE_DETAILS_BYTES_MAX, FAILURE_MESSAGE_MAX, type ReplyFailure } from '@cairn/contracts';
import type { Instant, Json, JsonObject } from '@cairn/kernel';

/** What a handler says about work that went wrong. All but one of `message` and `code` may be left out. */
export interface FailureOptions {
  /** A hint (`capabilities.md` §3.5, buckets); the retry policy may judge otherwise. */
  readonly bucket?: string;
  readonly code?: string | number;
  readonly message?: string;
  /** When trying again makes sense: an instant, a date, or milliseconds from now. */
  readonly retryAfter?: Instant | Date | number;
  /** Whether something happened outside. On effects silence means unknown. */
  readonly sideEffect?: 'none' | 'applied' | 'unknown';
  /** A digest or tag of what was seen: a policy may ask for new evidence before it tries again. */
  readonly evidence?: string;
  readonly details?: JsonObject;
}

/** Thrown (or returned) by a handler to end its attempt as failed, made by `task.failure(…)`. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly failure: ReplyFailure;

  constructor(options: FailureOptions) {
    super(options.message ?? String(options.code ?? options.bucket ?? 'failed'));
    const { bucket, code, retryAfter, sideEffect, evidence, details } = options;
    this.failure = {
      ...(bucket === undefined ? {} : { bucket }),
      ...(code === undefined ? {} : { code: String(code) }),
      message: cutMessage(this.message),
      ...(retryAfter === undefined ? {} : { retryAfter: instant(retryAfter) }),
      ...(sideEffect === undefined ? {} : { sideEffect }),
      ...(evidence === undefined ? {} : { evidence }),
      ...(details === undefined ? {} : { details: cutDetails(details) }),
    };
  }
}

/**
 * Any thrown thing as a failure, never throwing itself (B-28): null, numbers, a Proxy that throws on every look, a stack of 1 MB.
 * A known code of the network or a time-out gives a bucket as a hint; everything else has none, so that nothing is retried on a hunch.
 */
export function classifyThrown(thrown: unknown): ReplyFailure {
  if (isStepFailure(thrown)) return thrown.failure;
  const name = look(thrown, 'name');
  const code = look(thrown, 'code') ?? name;
  const message = look(thrown, 'message') ?? describe(thrown);
  const stack = look(thrown, 'stack');
  const bucket = bucketOf(code, name);
  return {
    ...(bucket === undefined ? {} : { bucket }),
    ...(code === undefined ? {} : { code: cut(code, 200) }),
    message: cutMessage(message),
    ...(stack === undefined ? {} : { details: { stack: cutToBytes(stack, FAILURE_DETAILS_BYTES_MAX - 64) } }),
  };
}

/** A message of at most 2,048 characters; longer text is cut and marked. */
export function cutMessage(text: string): string {
  return cut(text, FAILURE_MESSAGE_MAX);
}

const TIMEOUT = new Set([
  'TimeoutError',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const NETWORK = new Set(['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_SOCKET']);

function bucketOf(code: string | undefined, name: string | undefined): string | undefined {
  if (TIMEOUT.has(code ?? '') || TIMEOUT.has(name ?? '')) return 'timeout';
  return NETWORK.has(code ?? '') ? 'network' : undefined;
}

function isStepFailure(thrown: unknown): thrown is StepFailure {
  try {
    return thrown instanceof StepFailure;
  } catch {
    return false; // A Proxy whose getPrototypeOf throws.
  }
}

/** A property as text, if the thing lets us see it. */
function look(thrown: unknown, key: 'name' | 'code' | 'message' | 'stack'): string | undefined {
  try {
    if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) return undefined;
    const value: unknown = (thrown as Record<string, unknown>)[key];
    if (typeof value === 'string') return value === '' ? undefined : value;
    return typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

function describe(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    return `the handler threw ${typeof thrown === 'object' && thrown !== null ? (JSON.stringify(thrown) ?? 'an object') : String(thrown)}`;
  } catch {
    return 'the handler threw something that cannot be looked at';
  }
}

const CUT = '… [cut]';

function cut(text: string, max: number): string {
  const whole = text.toWellFormed();
  return whole.length <= max ? whole : whole.slice(0, max - CUT.length).toWellFormed() + CUT;
}

function cutToBytes(text: string, max: number): string {
  if (Buffer.byteLength(JSON.stringify(text)) <= max) return text.toWellFormed();
  // JSON may write a character as six (\u0000), so the text is halved until it fits.
  let kept = text.slice(0, max);
  while (Buffer.byteLength(JSON.stringify(kept)) > max - CUT.length * 2) kept = kept.slice(0, Math.floor(kept.length * 0.75));
  return kept.toWellFormed() + CUT;
}

/** Details that fit; larger ones become their beginning, as text. What JSON cannot hold is left out. */
function cutDetails(details: JsonObject): JsonObject {
  let text: string;
  try {
    text = JSON.stringify(details) ?? '{}';
  } catch {
    return { cut: 'the details were not JSON' };
  }
  if (Buffer.byteLength(text) <= FAILURE_DETAILS_BYTES_MAX) return JSON.parse(text) as { [key: string]: Json };
  return { cut: cutToBytes(text, FAILURE_DETAILS_BYTES_MAX - 64) };
}

/** An instant as it is stored: whole milliseconds, UTC. */
function instant(when: Instant | Date | number): Instant {
  if (typeof when === 'string') return new Date(when).toISOString();
  return (typeof when === 'number' ? new Date(Date.now() + when) : when).toISOString();
}
