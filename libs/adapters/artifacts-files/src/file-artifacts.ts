import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invariant, sha256Hex, sha256HexOfBytes } from '@cairn/kernel';
import { ARTIFACT_BYTES_MAX, ArtifactFault, isFault, type NamedArtifacts } from '@cairn/ports';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Artifacts as files of a folder, which is made if it is not there: `<2 hex>/<62 hex>`, and names under `names/`, hashed, so that no
 * name can point out of the folder. Several processes may share it.
 */
export async function createFileArtifacts(folder: string): Promise<NamedArtifacts> {
  await asFault('make the folder', () => mkdir(join(folder, 'names'), { recursive: true }));
  const artifactAt = (sha256: string): string => join(folder, sha256.slice(0, 2), sha256.slice(2));
  const nameAt = (name: string): string => join(folder, 'names', sha256Hex(name));

  return {
    async put(bytes) {
      if (bytes.byteLength > ARTIFACT_BYTES_MAX)
        throw new ArtifactFault('artifact_too_large', `${bytes.byteLength} bytes, at most ${ARTIFACT_BYTES_MAX}`);
      const sha256 = sha256HexOfBytes(bytes);
      const path = artifactAt(sha256);
      await asFault(`put ${sha256}`, async () => {
        const present = await readIfThere(path);
        if (present === undefined || sha256HexOfBytes(present) !== sha256) {
          await mkdir(dirname(path), { recursive: true });
          await replace(path, bytes, (file) => file.sync());
        }
        await syncFolder(dirname(path)); // Also where somebody else has just renamed it into place, and may be dead.
        await syncFolder(folder); // The entry of the two-character folder, if it is new.
      });
      return sha256;
    },

    async get(sha256) {
      invariant(SHA256.test(sha256), 'artifacts are asked for by 64 hex characters');
      const bytes = await asFault(`get ${sha256}`, () => readIfThere(artifactAt(sha256)));
      if (bytes !== undefined && sha256HexOfBytes(bytes) !== sha256)
        throw new ArtifactFault('artifact_corrupt', `artifact ${sha256} does not hash to its name`);
      return bytes;
    },

    async setName(name, sha256) {
      invariant(SHA256.test(sha256), 'a name points at 64 hex characters');
      await asFault(`name ${name}`, () => replace(nameAt(name), Buffer.from(sha256)));
    },

    async getName(name) {
      const bytes = await asFault(`look up ${name}`, () => readIfThere(nameAt(name)));
      const sha256 = bytes?.toString('latin1');
      return sha256 !== undefined && SHA256.test(sha256) ? sha256 : undefined; // Disposable: what a crash tore is not there.
    },
  };
}

/** Whole or not at all: written beside, then renamed. `beforeRename` makes it durable where that matters. */
async function replace(
  path: string,
  bytes: Uint8Array,
  beforeRename?: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(beside, 'wx');
    try {
      await file.writeFile(bytes);
      await beforeRename?.(file);
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function asFault<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFault(error)) throw error;
    throw new ArtifactFault('artifacts_unavailable', `${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
