import { sha256HexOfBytes } from '@cairn/kernel';
import { ARTIFACT_BYTES_MAX, ArtifactFault, type Artifacts } from '@cairn/ports';
import type { Appends } from './appends.js';
import { assemble, chunkEvent, chunksOf } from './blob-chunks.js';
import { sayingOf } from './errors.js';
import { blobStream } from './layout.js';
import type { Reading } from './reading.js';

/** How often a writer that meets others in the same stream looks again. */
const ATTEMPTS_MAX = 16;

/** Artifacts in streams of their own, so that what an event names is as durable as the event. */
export class Blobs implements Artifacts {
  constructor(
    private readonly reading: Reading,
    private readonly appends: Appends,
  ) {}

  async put(bytes: Uint8Array): Promise<string> {
    if (bytes.length > ARTIFACT_BYTES_MAX) {
      throw new ArtifactFault('artifact_too_large', `an artifact of ${bytes.length} bytes, at most ${ARTIFACT_BYTES_MAX}`);
    }
    const own = Uint8Array.from(bytes); // The caller may change its bytes while they are written.
    const sha256 = sha256HexOfBytes(own);
    await this.fault(sha256, async () => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (await this.write(sha256, own)) return;
      }
      throw new Error('others write it all the time');
    });
    return sha256;
  }

  async get(sha256: string): Promise<Uint8Array | undefined> {
    const records = await this.fault(sha256, () => this.reading.stream(blobStream(sha256), 0, Number.MAX_SAFE_INTEGER));
    const found = assemble(sha256, records);
    if (found.kind === 'corrupt') throw new ArtifactFault('artifact_corrupt', `artifact ${sha256} does not hash to its name`);
    return found.kind === 'whole' ? found.bytes : undefined;
  }

  /** Goes on behind what is there already. False: somebody else has written meanwhile. */
  private async write(sha256: string, bytes: Uint8Array): Promise<boolean> {
    const stream = blobStream(sha256);
    const records = await this.reading.stream(stream, 0, Number.MAX_SAFE_INTEGER);
    const found = assemble(sha256, records);
    if (found.kind === 'whole') return true;
    const chunks = chunksOf(bytes);
    const begun = found.kind === 'begun' && found.chunks.every((chunk, i) => Buffer.from(chunk).equals(chunks[i] ?? Buffer.alloc(0)));
    const first = begun && found.kind === 'begun' ? found.chunks.length : 0;
    let revision = Number(records.at(-1)?.revision ?? -1n) + 1;
    for (const [i, chunk] of chunks.entries()) {
      if (i < first) continue;
      const event = chunkEvent(sha256, revision, chunk, { chunk: i, chunks: chunks.length });
      const result = await this.appends.append(stream, revision === 0 ? 'no_stream' : revision - 1, [event]);
      if (result.kind === 'conflict') return false;
      revision++;
    }
    return true;
  }

  private async fault<T>(sha256: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new ArtifactFault('artifacts_unavailable', `artifact ${sha256}: ${sayingOf(error)}`, { cause: error });
    }
  }
}
