import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifacts, EventStore } from '@cairn/ports';
import { EXIT, EXIT_CONFIG } from '../exit-codes.js';
import { problem, Refusal } from '../refusal.js';

/** The event store and the artifacts of a data folder, opened beside the services that use them. */
export interface OpenStore {
  readonly file: string;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
}

/** How a store of the one kind that there is an adapter for is named. */
const KIND = 'libsql:';

/** Where the events of a data folder are. Throws a `Refusal` for a kind of store that there is no adapter for yet. */
export function storeFile(data: string, env: NodeJS.ProcessEnv): string {
  const named = env['CAIRN_EVENT_STORE'] ?? '';
  if (named !== '' && !named.startsWith(KIND)) {
    throw new Refusal(
      problem('config_invalid', 400, 'CAIRN_EVENT_STORE: must be libsql:<file>; EventStoreDB (esdb://) is not supported yet.'),
      EXIT_CONFIG,
    );
  }
  return named === '' ? join(data, 'events.db') : named.slice(KIND.length);
}

/** `undefined` where nothing was ever stored: a command that looks never makes a store. Throws a `Refusal` if it cannot be opened. */
export async function openStore(data: string, env: NodeJS.ProcessEnv): Promise<OpenStore | undefined> {
  const file = storeFile(data, env);
  if (!existsSync(file)) return undefined;
  const [{ openLibsqlEventStore }, { createFileArtifacts }] = await Promise.all([
    import('@cairn/event-store-libsql'),
    import('@cairn/artifacts-files'),
  ]);
  try {
    return { file, store: await openLibsqlEventStore({ file }), artifacts: await createFileArtifacts(join(data, 'artifacts')) };
  } catch (error) {
    throw new Refusal(problem('store_unavailable', 503, `${error instanceof Error ? error.message : String(error)}.`), EXIT.failed);
  }
}
