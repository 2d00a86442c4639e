import type { ExpectedRevision, StoredEvent, StreamName } from '@cairn/kernel';
import type { AppendResult } from '@cairn/ports';
import type { Connection, Statement } from './database.js';
import { Heads, type Head } from './heads.js';
import { Insertion } from './insertion.js';
import { streamOfRow } from './rows.js';

/**
 * What happens under the write lock. Revisions are checked here, so one stream's conflict leaves the other appends of the same
 * commit alone, and two processes on one file agree. Synchronous from `begin` to `commit`: nothing else runs in between.
 */
export class Transaction {
  private readonly statements: Record<
    'begin' | 'commit' | 'rollback' | 'version' | 'lastPos' | 'addStream' | 'stream' | 'head' | 'ids' | 'bookmark',
    Statement
  >;
  private readonly insertion: Insertion;
  private readonly heads = new Heads();
  private version = NaN;
  private lastPos = 0;
  private readonly added: StoredEvent[] = [];

  constructor(private readonly connection: Connection) {
    this.insertion = new Insertion(connection);
    this.statements = {
      begin: connection.prepare('BEGIN IMMEDIATE'),
      commit: connection.prepare('COMMIT'),
      rollback: connection.prepare('ROLLBACK'),
      version: connection.prepare('PRAGMA data_version'),
      lastPos: connection.prepare('SELECT max(pos) FROM events'),
      addStream: connection.prepare('INSERT INTO streams (name, ns, run_id, branch) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
      stream: connection.prepare('SELECT stream_no, name, ns, run_id, branch FROM streams WHERE name = ?'),
      head: connection.prepare('SELECT revision, hash FROM events WHERE stream_no = ? ORDER BY revision DESC LIMIT 1'),
      ids: connection.prepare('SELECT event_id FROM events WHERE stream_no = ? AND revision BETWEEN ? AND ? ORDER BY revision'),
      bookmark: connection.prepare(
        'INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ),
    };
  }

  /** Takes the write lock; throws `SQLITE_BUSY` if another process has it. What was remembered holds while nobody else committed. */
  begin(): void {
    this.statements.begin.run();
    const version = Number(this.statements.version.all()[0]?.[0]);
    if (version === this.version) return;
    this.heads.clear();
    this.lastPos = Number(this.statements.lastPos.all()[0]?.[0] ?? 0);
    this.version = version;
  }

  /** EventStoreDB's rule (`CheckCommit`): at an old revision the ids that stand there decide, and ids alone. */
  append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): AppendResult {
    const after = expected === 'no_stream' ? -1 : expected;
    const revision = after + events.length;
    const head = this.heads.get(stream) ?? this.findHead(stream, events[0]!, expected === 'no_stream');
    if (head === undefined) return { kind: 'conflict', actual: 'no_stream' };
    if (head.revision !== after) {
      if (after < head.revision && this.idsStandAfter(head, after, events)) return { kind: 'appended', revision };
      return { kind: 'conflict', actual: head.revision < 0 ? 'no_stream' : head.revision };
    }
    for (const event of events) {
      this.insertion.add(++this.lastPos, event, head);
      this.added.push(event);
    }
    return { kind: 'appended', revision };
  }

  writeBookmark(name: string, value: string): void {
    this.statements.bookmark.run([name, value]);
  }

  /** Everything that can fail before the commit itself does. */
  flush(): void {
    this.insertion.flush();
  }

  /** Durable when it returns. Answers what was stored: the events, and the position of the first. */
  commit(): { readonly first: number; readonly events: readonly StoredEvent[] } {
    this.statements.commit.run();
    const events = this.added.splice(0);
    return { first: this.lastPos - events.length + 1, events };
  }

  /** Nothing of it happened. Throws if even that fails. */
  rollback(): void {
    this.added.length = 0;
    this.insertion.forget();
    this.version = NaN;
    if (this.connection.inTransaction()) this.statements.rollback.run();
  }

  private findHead(stream: StreamName, first: StoredEvent, create: boolean): Head | undefined {
    const { ns, runId, branch } = first.metadata;
    if (create) {
      const { changes, lastInsertRowid } = this.statements.addStream.run([stream, ns, runId ?? null, branch ?? null]);
      if (changes === 1)
        return this.remember({ streamNo: lastInsertRowid, row: { name: stream, ns, runId, branch }, revision: -1, hash: '' });
    }
    const found = this.statements.stream.all([stream])[0];
    if (found === undefined) return undefined;
    this.insertion.flush();
    const streamNo = Number(found[0]);
    const [revision, hash] = (this.statements.head.all([streamNo])[0] ?? [-1, '']) as [number, string];
    return this.remember({ streamNo, row: streamOfRow(found, 1), revision, hash });
  }

  private remember(head: Head): Head {
    this.heads.set(head.row.name, head);
    return head;
  }

  private idsStandAfter(head: Head, after: number, events: readonly StoredEvent[]): boolean {
    this.insertion.flush();
    const ids = this.statements.ids.all([head.streamNo, after + 1, after + events.length]);
    return events.every(({ eventId }, i) => ids[i]?.[0] === eventId);
  }
}
