/** Bytes of one artifact at most: held in memory while they are hashed. */
export const ARTIFACT_BYTES_MAX = 64 * 1_048_576;

export class ArtifactFault extends Error {
  override readonly name = 'ArtifactFault';
  constructor(
    readonly code: 'artifacts_unavailable' | 'artifact_corrupt' | 'artifact_too_large',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Content-addressed blobs: what events name, as durable as the events that name them. */
export interface Artifacts {
  /**
   * Stores bytes under their SHA-256 and answers its 64 hex characters.
   * Crash: durable before it resolves; a crash before that leaves nothing or the whole, never a torn blob that `get` would answer.
   * Duplicate and concurrent writer: equal bytes are one artifact, whoever comes first.
   */
  put(bytes: Uint8Array): Promise<string>;

  /** The bytes, checked against the digest, or `undefined`. Throws `artifact_corrupt` if what is stored does not hash to it. */
  get(sha256: string): Promise<Uint8Array | undefined>;
}

/**
 * Blobs, and beside them a small index of names: for disposable things (snapshots, checkpoints of working sets), which whoever put them
 * can make anew from the history.
 */
export interface NamedArtifacts extends Artifacts {
  /** Points a name at an artifact, replacing what it pointed at. Disposable: a crash may lose it, never tear it. */
  setName(name: string, sha256: string): Promise<void>;
  getName(name: string): Promise<string | undefined>;
}
