import type { Artifacts, Clock, EventStore, Randomness } from '@cairn/ports';
import { esdbAddress } from './address.js';
import { Appends } from './appends.js';
import { Blobs } from './blobs.js';
import { findBookmarkStreams } from './bookmark-streams.js';
import { Bookmarks } from './bookmarks.js';
import { ClientHolder } from './client.js';
import { EsdbEventStore } from './esdb-event-store.js';
import { FreshHead } from './fresh-head.js';
import { Reading } from './reading.js';
import { bookmarkSetting, Rights, type StoreDifference } from './rights.js';

export interface EsdbOptions {
  /** A connection string, `esdb://…` or `esdb+discover://…`. */
  readonly url: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** EventStoreDB, as one handle on the client of this process. */
export interface Esdb {
  /** Hosts and ports without credentials, for logs. */
  readonly address: string;
  readonly store: EventStore;
  /** Artifacts in streams of the same database. */
  readonly artifacts: Artifacts;
  /** The server's version as it tells it. Throws `store_unavailable`. */
  serverVersion(): Promise<string>;
  /** What `applyRights` would change, and what this user is not shown. Throws `store_unavailable`. */
  differences(): Promise<readonly StoreDifference[]>;
  /**
   * Sets default rights and the length of bookmarks; answers what differed. Needs an admin: throws `store_unavailable` for any other user,
   * before anything is changed or with what was.
   */
  applyRights(options: { readonly dryRun: boolean }): Promise<readonly StoreDifference[]>;
  /** Closes the store, then the client if no other handle is open. */
  close(): Promise<void>;
}

interface Shared {
  readonly url: string;
  readonly holder: ClientHolder;
  readonly reading: Reading;
  readonly appends: Appends;
  handles: number;
}

/** One client a process: what goes wrong on one connection must not be told of another. */
let shared: Shared | undefined;

/**
 * Opens EventStoreDB; connects with the first call. A second open of the same address shares the client. Throws an `Error` for a
 * connection string that is none, and for another address while one is open.
 */
export async function openEsdb({ url, clock, randomness }: EsdbOptions): Promise<Esdb> {
  const address = esdbAddress(url);
  if (shared !== undefined && shared.url !== url) {
    throw new Error(`EventStoreDB at ${shared.holder.address} is open in this process; ${address} cannot be opened beside it`);
  }
  shared ??= connect(url, address, clock, randomness);
  shared.handles++;
  return handleOn(shared, randomness);
}

function connect(url: string, address: string, clock: Clock, randomness: Randomness): Shared {
  const holder = new ClientHolder(url, address, clock);
  const reading = new Reading(holder);
  return { url, holder, reading, appends: new Appends(holder, reading, randomness), handles: 0 };
}

function handleOn(client: Shared, randomness: Randomness): Esdb {
  const { holder, reading, appends } = client;
  const head = new FreshHead(reading);
  const rights = new Rights(reading, appends, () => findBookmarkStreams({ holder, reading, head, randomness }));
  const bookmarks = new Bookmarks(holder.clock, reading, appends, randomness, (stream) => {
    // Most services may not; `applyRights` does it then.
    rights.apply({ dryRun: false, only: bookmarkSetting(stream) }).catch(() => undefined);
  });
  const store = new EsdbEventStore({ holder, reading, appends, bookmarks, head, randomness });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await store.close();
    client.handles--;
    if (client.handles > 0) return;
    if (shared === client) shared = undefined;
    await holder.close();
  };
  return {
    address: holder.address,
    store,
    artifacts: new Blobs(reading, appends),
    serverVersion: () => holder.serverVersion(),
    differences: () => rights.differences(),
    applyRights: (options) => rights.apply(options),
    close: () => (closing ??= close()),
  };
}
