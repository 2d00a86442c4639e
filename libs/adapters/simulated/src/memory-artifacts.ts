import { invariant, sha256HexOfBytes } from '@cairn/kernel';
import { ARTIFACT_BYTES_MAX, ArtifactFault, type NamedArtifacts } from '@cairn/ports';

/** Artifacts in memory; they outlive the actors that use them. What is put and got are copies, so nobody can change what is stored. */
export interface MemoryArtifacts extends NamedArtifacts {
  /** Until it ends, everything throws `artifacts_unavailable`. */
  setOutage(away: boolean): void;
  /** Loses the names, which are disposable. */
  forgetNames(): void;
  /** Changes what is stored, as a rotten disk does. */
  corrupt(sha256: string, bytes: Uint8Array): void;
}

export function createMemoryArtifacts(): MemoryArtifacts {
  const blobs = new Map<string, Uint8Array>();
  const names = new Map<string, string>();
  let away = false;
  const mustBeThere = (): void => {
    if (away) throw new ArtifactFault('artifacts_unavailable', 'the artifacts are away');
  };
  return {
    async put(bytes) {
      mustBeThere();
      if (bytes.byteLength > ARTIFACT_BYTES_MAX)
        throw new ArtifactFault('artifact_too_large', `${bytes.byteLength} bytes, at most ${ARTIFACT_BYTES_MAX}`);
      const sha256 = sha256HexOfBytes(bytes);
      blobs.set(sha256, bytes.slice());
      return sha256;
    },
    async get(sha256) {
      mustBeThere();
      const bytes = blobs.get(sha256);
      if (bytes !== undefined && sha256HexOfBytes(bytes) !== sha256)
        throw new ArtifactFault('artifact_corrupt', `artifact ${sha256} does not hash to its name`);
      return bytes?.slice();
    },
    async setName(name, sha256) {
      mustBeThere();
      names.set(name, sha256);
    },
    async getName(name) {
      mustBeThere();
      return names.get(name);
    },
    setOutage: (value) => (away = value),
    forgetNames: () => names.clear(),
    corrupt: (sha256, bytes) => {
      invariant(blobs.has(sha256), `there is no artifact ${sha256}`);
      blobs.set(sha256, bytes.slice());
    },
  };
}
