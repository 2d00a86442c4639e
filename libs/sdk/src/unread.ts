import { look } from './look.js';

/** Bytes of a body that are read, and how long that may take: it is read to say why something failed, not to be had. */
const READ_BYTES_MAX = 65_536;
const READ_MS_MAX = 1_000;

/**
 * A fetch `Response` that was thrown as it came, with its body read; `undefined` for anything else. Its body says which of a status'
 * many reasons it was. Never rejects: a body that does not come in time, or at all, is left out.
 */
export function readThrown(thrown: unknown): Promise<unknown> | undefined {
  const getReader = look(look(thrown, 'body'), 'getReader');
  if (look(thrown, 'bodyUsed') !== false || typeof getReader !== 'function') return undefined;
  const [status, headers] = [look(thrown, 'status'), look(thrown, 'headers')];
  return firstBytes(look(thrown, 'body') as ReadableStream<Uint8Array>).then(
    (body) => ({ status, headers, body }),
    () => thrown,
  );
}

async function firstBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = body.getReader();
  const enough = setTimeout(() => void reader.cancel().catch(() => undefined), READ_MS_MAX);
  const chunks: Uint8Array[] = [];
  try {
    for (let bytes = 0; bytes < READ_BYTES_MAX;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      chunks.push(value);
    }
    return Buffer.concat(chunks).subarray(0, READ_BYTES_MAX);
  } finally {
    clearTimeout(enough);
    void reader.cancel().catch(() => undefined);
  }
}
