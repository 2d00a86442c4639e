import { join } from 'node:path';
import { esdbAddress } from '@cairn/event-store-esdb/address';
export { refusalOf, type RefusalKind } from '@cairn/event-store-esdb/refusals';
import type { Esdb } from '@cairn/event-store-esdb';
import type { Artifacts, Clock, EventStore, NamedArtifacts, Randomness } from '@cairn/ports';

/** An event store as `CAIRN_EVENT_STORE` names it. */
export type EventStoreName =
  | { readonly kind: 'libsql'; readonly file: string }
  /** `url` may hold credentials; `shown` is the same without them. */
  | { readonly kind: 'esdb'; readonly url: string; readonly shown: string };

const LIBSQL = 'libsql:';
const ESDB = /^esdb(\+discover)?:/;
const CREDENTIALS = /\/\/[^@/?]*@/;

/** Throws an `Error` that says which rule the text breaks, and quotes nothing that could be a secret. */
export function eventStoreNamed(text: string): EventStoreName {
  if (text.startsWith(LIBSQL) && text.length > LIBSQL.length) return { kind: 'libsql', file: text.slice(LIBSQL.length) };
  if (!ESDB.test(text)) throw new Error('must be libsql:<file>, esdb://… or esdb+discover://…');
  esdbAddress(text);
  return { kind: 'esdb', url: text, shown: text.replace(CREDENTIALS, '//') };
}

/** The store of a data folder where nothing else is named. */
export const eventStoreIn = (data: string): EventStoreName => ({ kind: 'libsql', file: join(data, 'events.db') });

/** For people. */
export const shownStore = (name: EventStoreName): string => (name.kind === 'libsql' ? name.file : name.shown);

/** A store with what lies beside it. */
export interface OpenedEventStore {
  readonly store: EventStore;
  /** What events name. */
  readonly artifacts: Artifacts;
  /** Makes a folder. Where events lie in files, these lie among the artifacts. */
  disposables(): Promise<NamedArtifacts>;
  /** What only EventStoreDB has: version, rights. */
  readonly esdb?: Pick<Esdb, 'serverVersion' | 'differences' | 'applyRights'>;
  close(): Promise<void>;
}

export interface EventStoreParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/**
 * Opens the store that is named, and the artifacts: files of the data folder, or streams of EventStoreDB, which is connected to with the
 * first call. Each adapter is loaded by whoever uses it alone. Throws faults, and an `Error` for a second EventStoreDB in one process.
 */
export async function openEventStore(
  name: EventStoreName,
  data: string,
  { clock, randomness }: EventStoreParts,
): Promise<OpenedEventStore> {
  const { createFileArtifacts } = await import('@cairn/artifacts-files');
  if (name.kind === 'esdb') {
    const { openEsdb } = await import('@cairn/event-store-esdb');
    const esdb = await openEsdb({ url: name.url, clock, randomness });
    const disposables = (): Promise<NamedArtifacts> => createFileArtifacts(join(data, 'disposables'));
    return { store: esdb.store, artifacts: esdb.artifacts, disposables, esdb, close: () => esdb.close() };
  }
  const { openLibsqlEventStore } = await import('@cairn/event-store-libsql');
  const artifacts = await createFileArtifacts(join(data, 'artifacts'));
  const store = await openLibsqlEventStore({ file: name.file, clock });
  return { store, artifacts, disposables: () => Promise.resolve(artifacts), close: () => store.close() };
}
