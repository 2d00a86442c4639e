import type { StoredEvent } from '@cairn/kernel';
import type { Connection, Statement, Value } from './database.js';
import { blockOf } from './blocks.js';
import { extraOf } from './rows.js';
import type { Head } from './heads.js';

const COLUMNS = 'pos, stream_no, revision, type_no, append_first, append_count, event_id, hash, extra, body';
const COLUMN_COUNT = 10;

/** Rows of one statement: from 1 to 8 the CPU of an append falls by a sixth, beyond that it stays. */
const ROWS_AT_ONCE = 8;

/** Events on their way into the table, within one transaction. Whoever wants to read them there flushes first. */
export class Insertion {
  private readonly many: Statement;
  private readonly one: Statement;
  private readonly addType: Statement;
  private readonly typeNumber: Statement;
  private readonly addBlock: Statement;
  private readonly values: Value[] = [];
  private readonly types = new Map<string, { readonly number: number; block: number }>();

  constructor(connection: Connection) {
    const row = `(${Array(COLUMN_COUNT).fill('?').join(', ')})`;
    this.many = connection.prepare(`INSERT INTO events (${COLUMNS}) VALUES ${Array(ROWS_AT_ONCE).fill(row).join(', ')}`);
    this.one = connection.prepare(`INSERT INTO events (${COLUMNS}) VALUES ${row}`);
    this.addType = connection.prepare('INSERT INTO types (name) VALUES (?) ON CONFLICT DO NOTHING');
    this.typeNumber = connection.prepare('SELECT type_no FROM types WHERE name = ?');
    this.addBlock = connection.prepare('INSERT INTO type_blocks (type_no, block) VALUES (?, ?) ON CONFLICT DO NOTHING');
  }

  /** Adds an event at a position, behind its stream's head, and moves the head. */
  add(pos: number, event: StoredEvent, head: Head): void {
    const { metadata } = event;
    this.values.push(
      pos,
      head.streamNo,
      event.revision,
      this.typeAt(event.type, pos),
      metadata.appendFirst,
      metadata.appendCount,
      event.eventId,
      metadata.hash,
      extraOf(event, head.row, head.hash),
      event.body,
    );
    head.revision = event.revision;
    head.hash = metadata.hash;
    if (this.values.length === ROWS_AT_ONCE * COLUMN_COUNT) {
      this.many.run(this.values);
      this.values.length = 0;
    }
  }

  flush(): void {
    for (let i = 0; i < this.values.length; i += COLUMN_COUNT) this.one.run(this.values.slice(i, i + COLUMN_COUNT));
    this.values.length = 0;
  }

  /** After a rollback: what was waiting and what was written in that transaction is gone. */
  forget(): void {
    this.values.length = 0;
    this.types.clear();
  }

  /** The type's number; notes that the type occurs in the position's block. */
  private typeAt(name: string, pos: number): number {
    let type = this.types.get(name);
    if (type === undefined) {
      this.addType.run([name]);
      type = { number: Number(this.typeNumber.all([name])[0]?.[0]), block: -1 };
      this.types.set(name, type);
    }
    const block = blockOf(pos);
    if (block !== type.block) {
      this.addBlock.run([type.number, block]);
      type.block = block;
    }
    return type.number;
  }
}
