import { compileDefinition } from '@cairn/domain-definition';
import { invariant, sealAppend, workflowStream, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { NS } from './names.js';
import type { Workload } from './workload.js';
import type { World } from './world.js';

const applied = new Map<string, readonly StoredEvent[]>();

/**
 * Puts a definition into the store as scheduling would have. Compiled once for all seeds of a process: compiling costs more than
 * a whole run (T-39), and most seeds have something else to show.
 */
export async function putDefinition(world: World, { document }: Workload): Promise<void> {
  const stream = workflowStream(NS, document.name);
  let events = applied.get(stream);
  if (events === undefined) {
    const compiled = compileDefinition(document);
    invariant(compiled.ok, `workload ${document.name} is no definition`);
    const { definition, hash } = compiled;
    const data = { ns: NS, name: definition.name, version: definition.version, hash, definition: definition as unknown as JsonObject };
    const at = '2025-12-31T00:00:00.000Z';
    events = sealAppend({ stream, expected: 'no_stream', prevHash: '', ns: NS, at, actor: 'user:sim', causationId: 'before' }, [
      { type: 'DefinitionApplied', version: 1, data },
    ]);
    applied.set(stream, events);
  }
  await world.store.append(stream, 'no_stream', events);
}
