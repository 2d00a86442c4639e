import type { Clock, EventStore } from '@cairn/ports';
import { connect, sqliteCode, unavailable, whenFree, type Connection } from './database.js';
import { LibsqlEventStore } from './libsql-event-store.js';
import { prepareFile } from './schema.js';

/** How often a store with tails looks for commits of other processes; a look costs 20 µs. */
export const POLL_MS = 50;

export interface LibsqlOptions {
  /** Path of the file; its folder exists. Beside it SQLite keeps `<file>-wal` and `<file>-shm`. */
  readonly file: string;
  /** For the poll and for waiting on locks; the default is the system's. */
  readonly clock?: Clock;
  readonly pollMs?: number;
}

/**
 * Opens an event store in a file, which is created if it is not there. Several processes may open the same file.
 * Throws `store_unavailable` if it cannot be opened, is no event store of ours or has a newer format.
 */
export async function openLibsqlEventStore({ file, clock = systemClock, pollMs = POLL_MS }: LibsqlOptions): Promise<EventStore> {
  let connection: Connection | undefined;
  try {
    return await whenFree(clock, () => {
      connection ??= connect(file);
      prepareFile(connection);
      return new LibsqlEventStore(connection, clock, pollMs);
    });
  } catch (error) {
    connection?.close();
    throw sqliteCode(error) === '' ? error : unavailable(`cannot open ${file}`, error);
  }
}

/** A neighbour (`@cairn/system`) is not ours to import; this is the part of it that waiting needs. */
const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
