import { createHash } from 'node:crypto';
import { ARTIFACT_UPLOAD_BYTES_MAX, type ArtifactView, type Problem } from '@cairn/contracts';
import { findServer, type ConnectionOptions } from './connection.js';
import { jitteredPause } from './pause.js';

/** What names an artifact: where an output holds it, whoever reads the output can get the bytes. */
export type ArtifactRef = ArtifactView;

/** Bytes that are too many for a reply, or no JSON. */
export interface TaskArtifacts {
  /**
   * Stores bytes and answers what names them; durable then, and the same for the same bytes. Tried again while the server is away, until the
   * attempt's time is over. Throws `ArtifactError` for more than 16 MiB, and for what the server refuses.
   */
  put(bytes: Uint8Array | string, mediaType?: string): Promise<ArtifactRef>;
  /** The bytes of an artifact, checked against its digest. Throws `ArtifactError` if there is none, or what arrived does not hash to it. */
  get(artifact: ArtifactRef | string): Promise<Uint8Array>;
}

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
  constructor(
    readonly code: 'artifact_too_large' | 'artifact_refused' | 'artifact_not_found' | 'artifact_corrupt' | 'artifact_unavailable',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** One request takes no longer: 16 MiB on a slow line. */
const REQUEST_MS_MAX = 30_000;
const ANY_TYPE = 'application/octet-stream';
const REF = /^(?:sha256:)?([0-9a-f]{64})$/;

/** The artifact store behind the gateway, over HTTP wherever the frames travel: bytes of this size do not belong on the bus. */
export class ArtifactStore {
  constructor(private readonly options: ConnectionOptions) {}

  /** As `TaskArtifacts.put`; `signal` ends the trying. */
  async put(data: Uint8Array | string, mediaType: string, signal: AbortSignal): Promise<ArtifactRef> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (bytes.byteLength > ARTIFACT_UPLOAD_BYTES_MAX)
      throw new ArtifactError('artifact_too_large', `${bytes.byteLength} bytes; at most ${ARTIFACT_UPLOAD_BYTES_MAX}`);
    const sha256 = sha256Of(bytes);
    const answer = await this.request(sha256, signal, { method: 'PUT', body: bytes, headers: { 'content-type': mediaType } });
    await answer.body?.cancel();
    return { artifact: `sha256:${sha256}`, bytes: bytes.byteLength, mediaType };
  }

  async get(artifact: ArtifactRef | string, signal: AbortSignal): Promise<Uint8Array> {
    const name = typeof artifact === 'string' ? artifact : artifact.artifact;
    const sha256 = REF.exec(name)?.[1];
    if (sha256 === undefined) throw new TypeError('an artifact is named by sha256: and 64 hex characters');
    const answer = await this.request(sha256, signal, { method: 'GET' });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (sha256Of(bytes) !== sha256) throw new ArtifactError('artifact_corrupt', `what arrived is not artifact ${sha256}`);
    return bytes;
  }

  /** Asks until somebody answers who will not answer otherwise the next time. */
  private async request(sha256: string, signal: AbortSignal, init: RequestInit): Promise<Response> {
    for (let failures = 0; ; failures++) {
      const { url, token, ns } = findServer(this.options);
      const headers = { ...(init.headers as object), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
      const within = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
      let cause: unknown;
      try {
        const answer = await fetch(`${url}/v1/${ns}/artifacts/${sha256}`, { ...init, headers, signal: within });
        if (answer.ok) return answer;
        if (answer.status < 500) throw await refusal(answer);
        cause = await refusal(answer);
      } catch (error) {
        if (error instanceof ArtifactError) throw error;
        cause = error;
      }
      if (signal.aborted || !(await jitteredPause(failures, signal)))
        throw new ArtifactError('artifact_unavailable', `no answer from the artifact store at ${url}`, { cause });
    }
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function refusal(answer: Response): Promise<ArtifactError> {
  const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const code = problem.code === 'artifact_not_found' || problem.code === 'artifact_corrupt' ? problem.code : 'artifact_refused';
  return new ArtifactError(code, problem.detail ?? `the artifact store answered ${answer.status}`);
}

/** What a task is given: the store, for as long as its attempt may work. */
export function artifactsOf(store: ArtifactStore, signal: () => AbortSignal): TaskArtifacts {
  return {
    put: (bytes, mediaType = ANY_TYPE) => store.put(bytes, mediaType, signal()),
    get: (artifact) => store.get(artifact, signal()),
  };
}
