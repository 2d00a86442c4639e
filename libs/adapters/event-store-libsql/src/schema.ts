import { unavailable, type Connection } from './database.js';

/** Format of the file. A released number keeps its meaning; a build refuses a newer one instead of guessing. */
export const FORMAT = 1;

/**
 * Bytes of a page. With events of about 1 KiB, 8 KiB pages cost a tenth less CPU a commit than 4 KiB (fewer frames to checksum) and
 * less than 16 KiB, where the small index pages weigh too much (measured with groups of 64).
 */
const PAGE_BYTES = 8_192;

/** Pages in the log before a commit copies them back into the file: 16 MiB, a few milliseconds every few thousand appends. */
const CHECKPOINT_PAGES = 2_000;

/** Of the page cache, in KiB: index pages of streams that are being written should be there. */
const CACHE_KIB = 32_768;

/**
 * `events.pos` is given under the write lock, so positions become visible in order. Streams have numbers because ids as index keys
 * land on random pages and halve the rate (`facts.md` §2.7). An index by type would cost a fifth of a commit: `type_blocks` says only
 * in which blocks of positions a type occurs at all.
 */
const TABLES = `
  CREATE TABLE streams (stream_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, ns TEXT NOT NULL, run_id TEXT, branch TEXT) STRICT;
  CREATE TABLE types (type_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE events (
    pos INTEGER PRIMARY KEY, stream_no INTEGER NOT NULL, revision INTEGER NOT NULL, type_no INTEGER NOT NULL,
    append_first INTEGER NOT NULL, append_count INTEGER NOT NULL,
    event_id TEXT NOT NULL, hash TEXT NOT NULL, extra TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_stream ON events (stream_no, revision);
  CREATE TABLE type_blocks (type_no INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (type_no, block)) STRICT, WITHOUT ROWID;
  CREATE TABLE bookmarks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Sets up a connection and, in an empty file, the tables. May throw `SQLITE_BUSY` anywhere and be called again (T-19). */
export function prepareFile(connection: Connection): void {
  connection.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  connection.exec('PRAGMA journal_mode = WAL');
  connection.exec('PRAGMA synchronous = FULL');
  connection.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  connection.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  if (formatOf(connection) === FORMAT) return;
  connection.exec('BEGIN IMMEDIATE');
  try {
    const format = formatOf(connection); // Another process may have been quicker.
    if (format > FORMAT) throw unavailable(`the file has format ${format}, this build reads ${FORMAT}`);
    if (format === 0) connection.exec(`${TABLES} PRAGMA user_version = ${FORMAT};`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.inTransaction()) connection.exec('ROLLBACK');
    throw error;
  }
}

function formatOf(connection: Connection): number {
  return Number(connection.prepare('PRAGMA user_version').all()[0]?.[0]);
}
