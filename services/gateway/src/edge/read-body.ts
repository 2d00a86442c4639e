import type { IncomingMessage } from 'node:http';
import { refuse, Refused } from './refused.js';

/** A body as it came, with what its headers say of it. */
export interface RawBody {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/** After a body that was not read to its end, the connection ends with the answer (B-2). */
const CLOSE = { connection: 'close' } as const;
/**
 * What is thrown away of a body that is too large before the answer closes the connection: a client that is cut off while it writes sees
 * a broken pipe and no answer. Above the largest frame and the 10 MB of B-4, so that honest mistakes are told.
 */
const DISCARDED_BYTES_MAX = 12 * 1024 * 1024;

/**
 * Reads a whole body of at most `bytesMax`, and never holds more. Refuses `body_too_large` by the length that was announced or by the
 * bytes that came, and `media_type_unsupported` for anything compressed (B-3). Rejects with a plain error if the client goes away.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => {
      request.off('data', onData);
      request.off('end', onEnd);
      discard(request, () => reject(refusal(() => refuse('body_too_large', `The body is larger than ${bytesMax} bytes.`, {}, CLOSE))));
    };
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bytesMax) tooLarge();
      else chunks.push(chunk);
    };
    const onEnd = (): void => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length));
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      reject(refusal(() => refuse('media_type_unsupported', 'Compressed bodies are not read.', {}, CLOSE)));
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
      tooLarge();
      return;
    }
    request.on('data', onData);
    request.once('end', onEnd);
    request.once('error', reject);
    request.once('close', () => {
      if (!request.complete) reject(new Error('the client went away'));
    });
  });
}

/** Reads on and keeps nothing. `done` at the end of the body, or once the client has been patiently listened to. */
function discard(request: IncomingMessage, done: () => void): void {
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length <= DISCARDED_BYTES_MAX) return;
    request.off('data', onData);
    request.pause();
    done();
  };
  request.on('data', onData);
  request.once('end', done);
  request.once('close', done);
}

/** `refuse` as a value, for a callback that must not throw. */
function refusal(refusing: () => never): Refused {
  try {
    return refusing();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}
