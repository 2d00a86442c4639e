import { idOf, sha256HexOfBytes } from '@cairn/kernel';
import type { Recorded, ProposedEvent } from './event-codec.js';
import { BLOB_TYPE, blobStream } from './layout.js';
import { uuidOfId } from './uuid.js';

/** Bytes of one chunk, each an append of its own: half of what a server takes at once by default (`MaxAppendSize`, 1 MiB). */
const CHUNK_BYTES = 524_288;

/** Where a chunk belongs: the numbers of one set run from 0 to `chunks` - 1. */
interface ChunkPlace {
  readonly chunk: number;
  readonly chunks: number;
}

/** The bytes in pieces; no bytes are one empty piece. */
export function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length || chunks.length === 0; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

/** Equal content at the same revision has the same id, so that whoever else writes it, or wrote it before, does no harm. */
export function chunkEvent(sha256: string, revision: number, chunk: Uint8Array, place: ChunkPlace): ProposedEvent {
  return {
    id: uuidOfId(idOf('event', blobStream(sha256), revision, sha256HexOfBytes(chunk))),
    type: BLOB_TYPE,
    isJson: false,
    data: chunk,
    metadata: Buffer.from(JSON.stringify({ ...place, sha256 }), 'utf8'),
  };
}

export type Found =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  /** Chunks 0 to `chunks.length` - 1 of a set that was begun last and not ended. */
  | { readonly kind: 'begun'; readonly chunks: readonly Uint8Array[] }
  | { readonly kind: 'corrupt' };

/** What a blob's stream says. The last whole set whose bytes hash to the name counts: a damaged one is mended by writing it again. */
export function assemble(sha256: string, records: readonly Recorded[]): Found {
  let set: Uint8Array[] = [];
  let damaged = false;
  let whole: Uint8Array | undefined;
  for (const record of records) {
    const place = placeOf(record);
    if (place === undefined || (place.chunk !== 0 && place.chunk !== set.length)) {
      damaged = true;
      set = [];
      continue;
    }
    if (place.chunk === 0) set = [];
    set.push(record.data as Uint8Array);
    if (set.length < place.chunks) continue;
    const bytes = Buffer.concat(set);
    if (sha256HexOfBytes(bytes) === sha256) whole = new Uint8Array(bytes);
    else damaged = true;
    set = [];
  }
  if (whole !== undefined) return { kind: 'whole', bytes: whole };
  return set.length > 0 || !damaged ? { kind: 'begun', chunks: set } : { kind: 'corrupt' };
}

function placeOf({ type, data, metadata }: Recorded): ChunkPlace | undefined {
  if (type !== BLOB_TYPE || !(data instanceof Uint8Array) || typeof metadata !== 'object' || metadata === null) return undefined;
  const { chunk, chunks } = metadata as Partial<ChunkPlace>;
  return typeof chunk === 'number' && typeof chunks === 'number' && chunk >= 0 && chunk < chunks ? { chunk, chunks } : undefined;
}
