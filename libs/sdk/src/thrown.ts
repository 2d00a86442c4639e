import { FAILURE_DETAILS_BYTES_MAX, type ReplyFailure } from '@cairn/contracts';
import { EXTERNAL_ID_MAX, type JsonObject } from '@cairn/kernel';
import { jsonWithin } from './bounded-json.js';
import { cut, cutMessage, cutToBytes } from './cut-text.js';
import { retryAfterOf } from './headers.js';
import { look, lookText } from './look.js';
import { responseIn, type SeenResponse } from './response.js';

/** How far a chain of causes is followed: `fetch failed` <- the socket's error <- its cause. */
const CAUSES_MAX = 4;
/** Bytes of a thrown thing that is no error, in its message. */
const DESCRIBED_BYTES = 1_024;
/** Bytes that the names and braces of details take. */
const FRAME_BYTES = 128;

/**
 * Any thrown thing as a failure, never throwing itself (B-28): null, numbers, a Proxy that throws on every look, a stack of 1 MB.
 * Of an HTTP client's error the answer is kept (status, headers without secrets, body) and `retryAfter` where the answer says it. A known
 * code of the network or a time-out gives a bucket as a hint; the rest is the server's to judge. About side effects it says nothing.
 */
export function failureOf(thrown: unknown): ReplyFailure {
  const chain = causesOf(thrown);
  const response = firstOf(chain, responseIn);
  const name = lookText(thrown, 'name');
  const code = codeOf(chain, response?.status) ?? name;
  const bucket = bucketOf(chain, code);
  const at = retryAfterOf(response?.headers, Date.now());
  const details = detailsOf(thrown, response);
  return {
    ...(bucket === undefined ? {} : { bucket }),
    ...(code === undefined ? {} : { code: cut(code, EXTERNAL_ID_MAX) }),
    message: cutMessage(messageOf(chain) ?? (response === undefined ? describe(thrown) : `the answer had status ${response.status}`)),
    ...(at === undefined ? {} : { retryAfter: new Date(at).toISOString() }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

/** The thing itself, then what caused it. */
function causesOf(thrown: unknown): unknown[] {
  const chain = [thrown];
  for (let cause = look(thrown, 'cause'); cause !== undefined && cause !== null && chain.length < CAUSES_MAX; cause = look(cause, 'cause'))
    chain.push(cause);
  return chain;
}

function firstOf<T>(chain: readonly unknown[], read: (thing: unknown) => T | undefined): T | undefined {
  for (const thing of chain) {
    const found = read(thing);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Codes of clients that only say that a bad status came: the status says more. */
const STATUS_CAME: ReadonlySet<string> = new Set([
  'ERR_BAD_REQUEST',
  'ERR_BAD_RESPONSE',
  'ERR_NON_2XX_3XX_RESPONSE',
  'UND_ERR_RESPONSE',
  'UND_ERR_RESPONSE_STATUS_CODE',
]);

function codeOf(chain: readonly unknown[], status: number | undefined): string | undefined {
  const code = firstOf(chain, (thing) => (isDomException(thing) ? lookText(thing, 'name') : lookText(thing, 'code')));
  if (status === undefined || (code !== undefined && !STATUS_CAME.has(code))) return code;
  return String(status);
}

/** Its codes are numbers of long ago, `TimeoutError` is 23; by its shape, since it may come from another realm. */
const isDomException = (thing: unknown): boolean => lookText(look(thing, 'constructor'), 'name') === 'DOMException';

const TIMEOUT: ReadonlySet<string> = new Set([
  'TimeoutError',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const NETWORK: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
]);

function bucketOf(chain: readonly unknown[], code: string | undefined): string | undefined {
  if (TIMEOUT.has(code ?? '') || chain.some((thing) => TIMEOUT.has(lookText(thing, 'name') ?? ''))) return 'timeout';
  return NETWORK.has(code ?? '') ? 'network' : undefined;
}

/** `fetch failed: connect ECONNREFUSED 127.0.0.1:1`: the cause is what helps. */
function messageOf(chain: readonly unknown[]): string | undefined {
  const said = chain.flatMap((thing) => lookText(thing, 'message') ?? []);
  const distinct = said.filter((text, i) => !said.slice(0, i).some((earlier) => earlier.includes(text)));
  return distinct.length === 0 ? undefined : distinct.join(': ');
}

const CANNOT_LOOK = 'the handler threw something that cannot be looked at';

function describe(thrown: unknown): string {
  try {
    if (typeof thrown === 'string' && thrown !== '') return thrown;
    if (typeof thrown !== 'object' || thrown === null) return `the handler threw ${String(thrown) || 'an empty text'}`;
    void (thrown as { message?: unknown }).message; // Nothing that throws here shows more elsewhere.
  } catch {
    return CANNOT_LOOK;
  }
  return `the handler threw ${JSON.stringify(jsonWithin(thrown, DESCRIBED_BYTES))}`;
}

/** The answer first; the stack has what is left of the 8 KiB. */
function detailsOf(thrown: unknown, response: SeenResponse | undefined): JsonObject {
  const stack = lookText(thrown, 'stack');
  if (stack === undefined) return { ...response };
  const left = FAILURE_DETAILS_BYTES_MAX - FRAME_BYTES - Buffer.byteLength(JSON.stringify(response ?? {}));
  return { ...response, stack: cutToBytes(stack, left) };
}
