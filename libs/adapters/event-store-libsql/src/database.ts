import Libsql from 'libsql';
import type { Clock } from '@cairn/ports';
import { StoreFault } from '@cairn/ports';

/** Values of a row or a statement's parameters. Integers stay below 2^53 (T-21): positions and revisions are counted from 0 by us. */
export type Value = string | number | null;

/** The little of libSQL's API that we use; the only file that names the library (T-23: its types cannot be re-exported). */
export interface Statement {
  run(parameters?: readonly Value[]): { readonly changes: number; readonly lastInsertRowid: number };
  /** Rows as arrays: `.get()` would add a key of its own (T-20). */
  all(parameters?: readonly Value[]): readonly (readonly Value[])[];
}

export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** SQLite itself rolls back after some errors (full disk, I/O). */
  inTransaction(): boolean;
  close(): void;
}

/** Opens a file without any waiting inside the library (T-19): what is locked fails at once with `SQLITE_BUSY`. */
export function connect(file: string): Connection {
  const database = opened(file);
  return {
    exec: (sql) => void database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      const rows = /^\s*(SELECT|PRAGMA)/i.test(sql) ? statement.raw() : statement;
      return {
        run: (parameters = NONE) => statement.run(parameters) as ReturnType<Statement['run']>,
        all: (parameters = NONE) => rows.all(parameters) as ReturnType<Statement['all']>,
      };
    },
    inTransaction: () => database.inTransaction,
    close: () => void database.close(),
  };
}

const NONE: readonly Value[] = [];

/** The library's constructor hides SQLite's code in its message: `ConnectionFailed("…: 14")`. */
function opened(file: string): Libsql.Database {
  try {
    return new Libsql(file, { timeout: 0 });
  } catch (error) {
    const busy = /: [56]"\)$/.test(error instanceof Error ? error.message : '');
    throw busy
      ? Object.assign(new Error('busy while opening', { cause: error }), { code: 'SQLITE_BUSY' })
      : unavailable(`cannot open ${file}`, error);
  }
}

/** SQLite's name of an error (`SQLITE_BUSY`, `SQLITE_FULL`, …), or '' for any other error. */
export function sqliteCode(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
}

export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error));
export const isFull = (error: unknown): boolean => sqliteCode(error) === 'SQLITE_FULL';
export const isCorrupt = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));

/** How long somebody waits for another process's lock before the call is `store_unavailable` (W-6 of `reliability.md`). */
export const BUSY_DEADLINE_MS = 5_000;

/** Pause before the next try for a lock: 1 to 3 ms, by chance, so that processes do not march in step (`facts.md` §3.3). */
export const busyPauseMs = (): number => 1 + 2 * Math.random();

/** Runs synchronous work that may meet another process's lock, until it gets through or the deadline is over. */
export async function whenFree<T>(clock: Clock, work: () => T): Promise<T> {
  const since = clock.monotonicMs();
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (clock.monotonicMs() - since > BUSY_DEADLINE_MS) throw unavailable('the file is locked', error);
      await new Promise<void>((resolve) => clock.after(busyPauseMs(), resolve));
    }
  }
}

export function unavailable(what: string, cause?: unknown): StoreFault {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new StoreFault('store_unavailable', what + why, { cause });
}
