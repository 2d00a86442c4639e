import type { DataRef } from '@cairn/domain-schedule';
import { canon, prefixedSha256, type Json } from '@cairn/kernel';
import { ArtifactFault, type Artifacts } from '@cairn/ports';

/** Larger data is not kept in an event: an artifact holds it (`history.md` §3). */
export const DATA_INLINE_BYTES_MAX = 4_096;

export interface StoredData {
  readonly data?: Json | undefined;
  readonly dataRef?: DataRef | undefined;
}

/** How a value is written into an event: as it is, or, above `maxBytes`, by reference to an artifact that is durable when this resolves. */
export async function storeData(
  artifacts: Artifacts,
  value: Json | undefined,
  maxBytes = DATA_INLINE_BYTES_MAX,
): Promise<{ data?: Json; dataRef?: DataRef }> {
  if (value === undefined) return {};
  const text = canon(value);
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return { data: value };
  const bytes = Buffer.from(text, 'utf8');
  const artifact = prefixedSha256(await artifacts.put(bytes));
  return { dataRef: { artifact, bytes: bytes.length, mediaType: 'application/json' } };
}

/** The value again; null if the event had none. Throws `artifact_corrupt` if what an event names is not there. */
export async function loadData(artifacts: Artifacts, { data, dataRef }: StoredData): Promise<Json> {
  if (dataRef === undefined) return data ?? null;
  const bytes = await artifacts.get(dataRef.artifact.slice('sha256:'.length));
  if (bytes === undefined) throw new ArtifactFault('artifact_corrupt', `${dataRef.artifact} is named by an event and not there`);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Json;
}
