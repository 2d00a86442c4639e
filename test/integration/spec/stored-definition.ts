import { join } from 'node:path';
import { createFileArtifacts } from '@cairn/artifacts-files';
import { compileDefinition } from '@cairn/domain-definition';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { canon, invariant, prefixedSha256, sealAppend, workflowStream, type JsonObject } from '@cairn/kernel';

export interface StoredDefinition {
  readonly ns?: string;
  readonly name: string;
  readonly version: string;
  readonly queues: readonly string[];
  /** As one that is too large for an event. */
  readonly byReference?: boolean;
}

/** Puts a version of a definition into the event store of a data folder, as scheduling would have. */
export async function storeDefinition(
  data: string,
  { ns = 'default', name, version, queues, byReference }: StoredDefinition,
): Promise<void> {
  const steps = queues.map((queue, i) => ({ id: `step-${i}`, task: { queue } }));
  const compiled = compileDefinition({ cairn: 1, name, version, steps });
  invariant(compiled.ok, `${name} is no definition`);
  const definition = compiled.definition as unknown as JsonObject;
  const store = await openLibsqlEventStore({ file: join(data, 'events.db') });
  try {
    const stream = workflowStream(ns, name);
    const last = (await store.read(stream)).at(-1);
    const bytes = Buffer.from(canon(definition));
    const artifact = async (): Promise<string> => prefixedSha256(await (await createFileArtifacts(join(data, 'artifacts'))).put(bytes));
    const body = byReference
      ? { definitionRef: { artifact: await artifact(), bytes: bytes.length, mediaType: 'application/json' } }
      : { definition };
    const expected = last?.revision ?? 'no_stream';
    const prevHash = last?.metadata.hash ?? '';
    const context = { stream, expected, prevHash, ns, at: '2026-11-24T10:00:00.000Z', actor: 'user:spec', causationId: 'spec' } as const;
    const applied = { ns, name, version, hash: compiled.hash, ...body };
    const result = await store.append(stream, expected, sealAppend(context, [{ type: 'DefinitionApplied', version: 1, data: applied }]));
    invariant(result.kind === 'appended', `${stream} is somebody else's`);
  } finally {
    await store.close();
  }
}
