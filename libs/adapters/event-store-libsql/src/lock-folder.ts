import { dirname } from 'node:path';
import { connect, isBusy, sqliteCode, unavailable } from './database.js';

export interface FolderLock {
  /** Gives the folder free. */
  release(): void;
}

/** Somebody else has the folder. */
export class FolderLocked extends Error {
  readonly code = 'folder_locked';
  override readonly name = 'FolderLocked';
}

/**
 * Takes a folder for this process by an exclusive transaction that stays open in `file` (`<data>/lock.db`). The operating system
 * gives it free when the process dies, however it dies. Throws `FolderLocked` at once if another process (or another call) has it,
 * `store_unavailable` if the file cannot be opened.
 */
export function lockFolder(file: string): FolderLock {
  return hold(file, (connection) => connection.exec('BEGIN EXCLUSIVE'));
}

/**
 * Takes a folder for this process and others that share it, by a read transaction that stays open: whoever wants it alone is refused,
 * and so is this if somebody has it alone. Throws as `lockFolder`.
 */
export function shareFolder(file: string): FolderLock {
  return hold(file, (connection) => {
    connection.exec('BEGIN');
    connection.prepare('SELECT count(*) FROM sqlite_master').all(); // The lock is taken by the first read.
  });
}

type Connection = ReturnType<typeof connect>;

function hold(file: string, begin: (connection: Connection) => void): FolderLock {
  let connection: Connection | undefined;
  try {
    connection = connect(file);
    begin(connection);
  } catch (error) {
    connection?.close();
    if (isBusy(error)) throw new FolderLocked(`${dirname(file)} is in use by another process`, { cause: error });
    throw sqliteCode(error) === '' ? error : unavailable(`cannot lock ${file}`, error);
  }
  const held = connection;
  return {
    release: () => {
      if (held.inTransaction()) held.exec('ROLLBACK');
      held.close();
    },
  };
}
