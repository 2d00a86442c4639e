import type { Revision, StoredEvent, StreamName } from '@cairn/kernel';
import { StoreFault, type TailedEvent } from '@cairn/ports';
import { blockOf, firstOf, lastOf } from './blocks.js';
import { isBusy, isCorrupt, unavailable, type Connection, type Statement } from './database.js';
import { EVENT_COLUMNS, eventOfRow, streamOfRow } from './rows.js';

/** Events read at once. The event loop gets a turn between pages. */
export const PAGE_EVENTS = 500;

/** Blocks looked up at once on the way to a type's next occurrence: a quarter of a million positions. */
const BLOCKS_AHEAD = 1_024;

export interface Page {
  readonly events: readonly TailedEvent[];
  /** Everything up to here has been looked at. */
  readonly to: number;
  /** Nothing stood behind `to` when this was read. */
  readonly complete: boolean;
}

/** What can be asked of the file. Synchronous; throws `StoreFault`, or `SQLITE_BUSY` as it is. */
export class Reader {
  private readonly statements: Record<'version' | 'newest' | 'stream' | 'events' | 'all' | 'some' | 'blocks' | 'bookmark', Statement>;

  constructor(connection: Connection) {
    const tailed = `
      SELECT ${EVENT_COLUMNS}, s.name, s.ns, s.run_id, s.branch,
        (SELECT p.hash FROM events p WHERE p.stream_no = e.stream_no AND p.revision = e.revision - 1)
      FROM events e JOIN streams s ON s.stream_no = e.stream_no`;
    const typeNumbers = 'SELECT type_no FROM types WHERE name IN (SELECT value FROM json_each(?1))';
    this.statements = {
      version: connection.prepare('PRAGMA data_version'),
      newest: connection.prepare('SELECT max(pos) FROM events'),
      stream: connection.prepare('SELECT stream_no, name, ns, run_id, branch FROM streams WHERE name = ?'),
      events: connection.prepare(
        `SELECT ${EVENT_COLUMNS} FROM events e WHERE e.stream_no = ? AND e.revision BETWEEN ? AND ? ORDER BY e.revision LIMIT ${PAGE_EVENTS}`,
      ),
      all: connection.prepare(`${tailed} WHERE e.pos BETWEEN ? AND ? ORDER BY e.pos LIMIT ?`),
      some: connection.prepare(`${tailed} WHERE e.pos BETWEEN ?2 AND ?3 AND e.type_no IN (${typeNumbers}) ORDER BY e.pos LIMIT ?4`),
      blocks: connection.prepare(
        `SELECT DISTINCT block FROM type_blocks WHERE type_no IN (${typeNumbers}) AND block BETWEEN ?2 AND ?3 ORDER BY block`,
      ),
      bookmark: connection.prepare('SELECT value FROM bookmarks WHERE name = ?'),
    };
  }

  /** Changes when another connection has committed, never by our own commits. */
  version(): number {
    return Number(this.statements.version.all()[0]?.[0]);
  }

  newest(): number {
    return explain('the newest position', () => Number(this.statements.newest.all()[0]?.[0] ?? 0));
  }

  bookmark(name: string): string | undefined {
    return explain(`bookmark ${name}`, () => this.statements.bookmark.all([name])[0]?.[0] as string | undefined);
  }

  /** Up to a page of a stream's events from a revision on. `prevHash`: of the event before, if the caller has it. */
  stream(stream: StreamName, from: Revision, to: Revision, prevHash?: string): readonly StoredEvent[] {
    return explain(stream, () => {
      const found = this.statements.stream.all([stream])[0];
      if (found === undefined) return [];
      const row = streamOfRow(found, 1);
      const chained = prevHash !== undefined || from === 0;
      const first = chained ? from : from - 1;
      const rows = this.statements.events.all([Number(found[0]), first, to]);
      let hash = prevHash ?? '';
      const events: StoredEvent[] = [];
      for (const [i, values] of rows.entries()) {
        if (values[1] !== first + i) throw new StoreFault('stream_corrupt', `${stream}@${first + i}: missing`);
        if (chained || i > 0) events.push(eventOfRow(values, row, hash));
        hash = values[5] as string;
      }
      return events;
    });
  }

  /** The next events behind a position whose type is one of `types` (all if undefined; as JSON text). */
  page(types: string | undefined, after: number): Page {
    return explain('the tail', () => {
      const newest = this.newest();
      if (types === undefined) return pageOf(this.rows(undefined, after + 1, newest, PAGE_EVENTS), newest, newest);
      const lastBlock = Math.min(blockOf(after + 1) + BLOCKS_AHEAD, blockOf(newest));
      const blocks = this.statements.blocks.all([types, blockOf(after + 1), lastBlock]);
      const events: TailedEvent[] = [];
      for (const [block] of blocks as readonly (readonly [number])[]) {
        const from = Math.max(after + 1, firstOf(block));
        events.push(...this.rows(types, from, Math.min(newest, lastOf(block)), PAGE_EVENTS - events.length));
        if (events.length === PAGE_EVENTS) break;
      }
      return pageOf(events, Math.min(newest, lastOf(lastBlock)), newest);
    });
  }

  private rows(types: string | undefined, from: number, to: number, limit: number): TailedEvent[] {
    const rows = types === undefined ? this.statements.all.all([from, to, limit]) : this.statements.some.all([types, from, to, limit]);
    return rows.map((row) => ({ event: eventOfRow(row, streamOfRow(row, 8), (row[12] ?? '') as string), position: String(row[0]) }));
  }
}

function pageOf(events: readonly TailedEvent[], lookedAt: number, newest: number): Page {
  const to = events.length === PAGE_EVENTS ? Number(events.at(-1)?.position) : lookedAt;
  return { events, to, complete: to === newest };
}

/** SQLite's error in the port's words. */
function explain<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreFault || isBusy(error)) throw error;
    if (isCorrupt(error)) throw new StoreFault('stream_corrupt', `${what}: the file is damaged`, { cause: error });
    throw unavailable(`read of ${what}`, error);
  }
}
