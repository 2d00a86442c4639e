import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { notRun, sealed, streamNo, wallClock } from '@cairn/testkit';
import { connect, whenFree, type Connection } from './database.js';
import { LibsqlEventStore } from './libsql-event-store.js';
import { openLibsqlEventStore } from './open.js';
import { prepareFile } from './schema.js';
import { buildForChildren, freshFile, StoreChild } from './spec/store-child.js';
import { TestReader } from './spec/test-reader.js';

beforeAll(buildForChildren);

const A = streamNo(1);
const append = (store: LibsqlEventStore, n: number) => store.append(streamNo(n), 'no_stream', sealed(streamNo(n), 'no_stream', ['a', 'b']));
const unavailable = expect.objectContaining({ code: 'store_unavailable' });
const unknown = expect.objectContaining({ code: 'append_unknown' });

/** An error as the library throws it. */
const sqliteError = (code: string): Error => Object.assign(new Error(`planted ${code}`), { code });

/** A real connection on which one statement fails when the spec says so; SQLite's own state is that after a rollback. */
function failing(file: string, statement: RegExp): { connection: Connection; next: { code?: string } } {
  const real = connect(file);
  const next: { code?: string } = {};
  const connection: Connection = {
    ...real,
    prepare: (sql) => {
      const prepared = real.prepare(sql);
      if (!statement.test(sql)) return prepared;
      return {
        ...prepared,
        run: (parameters) => {
          if (next.code === undefined) return prepared.run(parameters);
          real.exec('ROLLBACK');
          throw sqliteError(next.code);
        },
      };
    },
  };
  return { connection, next };
}

async function storeWith(statement: RegExp): Promise<{ store: LibsqlEventStore; next: { code?: string }; file: string }> {
  const file = freshFile();
  const { connection, next } = failing(file, statement);
  await whenFree(wallClock, () => prepareFile(connection));
  return { store: new LibsqlEventStore(connection, wallClock, 10), next, file };
}

/** strace works here: it is there, and may trace. */
const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

describe('a disk that fails', () => {
  it('F-23: after a commit that failed nothing is tried again: unknown for that commit, unavailable for ever after, tails end', async () => {
    const { store, next, file } = await storeWith(/^COMMIT/);
    await append(store, 1);
    const reader = new TestReader(store);
    await reader.has(2);
    next.code = 'SQLITE_IOERR_FSYNC';
    const together = await Promise.allSettled([append(store, 2), append(store, 3), store.writeBookmark('b', '1')]);
    expect(together.map((result) => result.status === 'rejected' && result.reason)).toEqual([unknown, unknown, unknown]);
    delete next.code;
    await expect(append(store, 4)).rejects.toEqual(unavailable);
    await expect(store.read(streamNo(1))).rejects.toEqual(unavailable);
    await expect(store.newest()).rejects.toEqual(unavailable);
    expect(reader.faults).toEqual([unavailable]);
    await store.close();
    const again = await openLibsqlEventStore({ file });
    expect(await again.read(streamNo(1))).toHaveLength(2);
    await again.close();
  });

  it.each([
    ['F-25: a full disk at the commit', /^COMMIT/, 'SQLITE_FULL'],
    ['a full disk while rows are written', /^INSERT INTO events/, 'SQLITE_FULL'],
    ['a write error before the commit', /^INSERT INTO events/, 'SQLITE_IOERR_WRITE'],
  ])('%s: unavailable, nothing stored, and the store goes on when there is room again', async (_, statement, code) => {
    const { store, next } = await storeWith(statement);
    await append(store, 1);
    next.code = code;
    const together = await Promise.allSettled([append(store, 2), append(store, 3)]);
    expect(together.map((result) => result.status === 'rejected' && result.reason)).toEqual([unavailable, unavailable]);
    delete next.code;
    expect(await store.read(streamNo(2))).toEqual([]);
    expect(await append(store, 2)).toEqual({ kind: 'appended', revision: 1 });
    const reader = new TestReader(store, ['Noted']);
    expect(await reader.has(4)).toHaveLength(4);
    await store.close();
  });

  it('F-23 for real: fsync answers EIO, and the process acknowledges nothing more', async () => {
    if (!canTrace) return notRun('F-23 for real', 'needs strace and the right to trace; apt-get install strace');
    const file = freshFile();
    const wrapper = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO:when=12+'];
    const child = new StoreChild({ file, writer: 'w', streams: ['receipt-a', 'receipt-b'], appends: 60 }, wrapper);
    await child.ended();
    const faults = child.faults;
    expect(faults[0]).toBe('append_unknown');
    expect(new Set(faults.filter((code) => code !== 'append_unknown'))).toEqual(new Set(['store_unavailable']));
    const lastGood = child.reports.findLastIndex(({ kind }) => kind === 'appended');
    expect(lastGood).toBeLessThan(child.reports.findIndex(({ kind }) => kind === 'fault'));
    const store = await openLibsqlEventStore({ file });
    const stored = new Set(
      (await Promise.all(['receipt-a', 'receipt-b'].map((stream) => store.read(stream)))).flat().map(({ eventId }) => eventId),
    );
    expect(child.appended.flatMap(({ ids }) => ids).filter((id) => !stored.has(id))).toEqual([]);
    await store.close();
  });

  it('F-25 for real: the disk is full for a while; nothing is half there and appends go on afterwards', async () => {
    if (!canTrace) return notRun('F-25 for real', 'needs strace and the right to trace; apt-get install strace');
    const file = freshFile();
    const wrapper = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=pwrite64', '-e', 'inject=pwrite64:error=ENOSPC:when=120..160'];
    const child = new StoreChild({ file, writer: 'w', streams: ['receipt-a'], appends: 200 }, wrapper);
    await child.ended();
    expect(new Set(child.faults)).toEqual(new Set(['store_unavailable']));
    const firstFault = child.reports.findIndex(({ kind }) => kind === 'fault');
    expect(child.reports.findLastIndex(({ kind }) => kind === 'appended')).toBeGreaterThan(firstFault);
    const store = await openLibsqlEventStore({ file });
    expect((await store.read('receipt-a')).map(({ eventId }) => eventId)).toEqual(child.appended.flatMap(({ ids }) => ids));
    await store.close();
  });
});

describe('a file that is not as we left it', () => {
  async function withRows(sql: string): Promise<string> {
    const file = freshFile();
    const store = await openLibsqlEventStore({ file });
    await store.append(A, 'no_stream', sealed(A, 'no_stream', ['a', 'b', 'c']));
    await store.close();
    const connection = connect(file);
    connection.exec(sql);
    connection.close();
    return file;
  }

  it.each([
    ['a body that is no JSON', "UPDATE events SET body = '{' WHERE revision = 1", '@1'],
    ['metadata that is no JSON', "UPDATE events SET extra = 'x' WHERE revision = 2", '@2'],
    ['a missing revision', 'DELETE FROM events WHERE revision = 1', '@1'],
  ])('%s: stream_corrupt, with stream and revision', async (_, sql, where) => {
    const store = await openLibsqlEventStore({ file: await withRows(sql) });
    await expect(store.read(A)).rejects.toMatchObject({ code: 'stream_corrupt', message: expect.stringContaining(A + where) });
    await store.close();
  });

  it('a newer format is refused, not guessed at', async () => {
    const file = await withRows('PRAGMA user_version = 99');
    await expect(openLibsqlEventStore({ file })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('format 99'),
    });
  });

  it('no folder: store_unavailable', async () => {
    await expect(openLibsqlEventStore({ file: `${freshFile()}/nowhere/events.db` })).rejects.toEqual(unavailable);
  });

  it('another process that holds the file delays appends, not reads', async () => {
    const file = freshFile();
    const store = await openLibsqlEventStore({ file });
    const other = connect(file);
    other.exec('BEGIN IMMEDIATE');
    const waiting = store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']));
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await store.read(A)).toEqual([]); // Readers do not wait for writers.
    other.exec('COMMIT');
    expect(await waiting).toEqual({ kind: 'appended', revision: 0 });
    other.close();
    await store.close();
  });

  it('a file that stays locked is unavailable after the deadline, and available when it is free', async () => {
    const file = freshFile();
    const hasty = { ...wallClock, monotonicMs: () => performance.now() * 1_000 }; // Five seconds pass in five milliseconds.
    const store = await openLibsqlEventStore({ file, clock: hasty });
    const other = connect(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']))).rejects.toEqual(unavailable);
    other.exec('ROLLBACK');
    expect(await store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']))).toEqual({ kind: 'appended', revision: 0 });
    other.close();
    await store.close();
  });
});
