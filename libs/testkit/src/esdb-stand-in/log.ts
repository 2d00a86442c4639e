import { commitCheck } from './commit-check.js';
import type { Expected, LogRecord, Proposed } from './records.js';

export type AppendAnswer =
  /** `position` is absent where nothing was written and what was written before cannot be read any more. */
  | { readonly kind: 'success'; readonly revision: number; readonly position: bigint | undefined }
  | { readonly kind: 'wrong_version'; readonly current: number | 'no_stream' }
  | { readonly kind: 'too_large'; readonly limit: number }
  | { readonly kind: 'deleted' | 'denied' };

/** `$tb` of a soft-deleted stream: everything before the largest revision is hidden. */
export const SOFT_DELETED = '9223372036854775807';
/** Bytes of a record beside its data, metadata and twice its type: what makes positions grow, roughly. */
const RECORD_BYTES = 120n;

export const sizeOf = ({ data, metadata, type }: Proposed): number => data.length + metadata.length + 2 * type.length;

/** What a server of EventStoreDB keeps, and the rules of keeping it. In memory; it outlives the server that answers from it. */
export class Log {
  readonly records: LogRecord[] = [];
  private readonly streams = new Map<string, LogRecord[]>();
  /** What the server remembers of ids for appends at `any`: it forgets them when it restarts. */
  private readonly remembered = new Map<string, LogRecord>();
  private end = 0n;

  constructor(private readonly appendBytesMax: number) {}

  get head(): bigint {
    return this.end;
  }

  append(stream: string, expected: Expected, events: readonly Proposed[]): AppendAnswer {
    const size = events.reduce((sum, { data }) => sum + data.length, 0); // Metadata does not count, as in 22.10 to 24.6.
    if (size > this.appendBytesMax) return { kind: 'too_large', limit: this.appendBytesMax };
    const present = this.streams.get(stream) ?? [];
    const hidden = this.hiddenBefore(stream);
    const verdict = commitCheck({ stream, present, expected, events, remembered: this.remembered, softDeleted: hidden === 'all' });
    switch (verdict.kind) {
      case 'idempotent': {
        const last = present[verdict.revision];
        const readable = last !== undefined && hidden !== 'all' && last.revision >= hidden;
        return { kind: 'success', revision: verdict.revision, position: readable ? last.position : undefined };
      }
      case 'wrong_version':
        return { kind: 'wrong_version', current: present.length === 0 ? 'no_stream' : present.length - 1 };
      case 'deleted':
        return { kind: 'deleted' };
      case 'ok':
        if (events.length === 0) return { kind: 'success', revision: Math.max(0, present.length - 1), position: this.end };
        return this.store(stream, present.length, events, hidden === 'all');
    }
  }

  private store(stream: string, length: number, events: readonly Proposed[], isSoftDeleted: boolean): AppendAnswer {
    const position = this.write(stream, events);
    if (isSoftDeleted) this.writeMetadata(stream, { $tb: length });
    return { kind: 'success', revision: length + events.length - 1, position };
  }

  /** Hides all events of a stream (`$tb`), as a delete over gRPC does, which forgets all other metadata. `false`: there is nothing to delete. */
  softDelete(stream: string): boolean {
    if ((this.streams.get(stream) ?? []).length === 0) return false;
    this.writeMetadata(stream, { $tb: SOFT_DELETED });
    return true;
  }

  /** The events of a stream that a reader is shown, in order; `undefined` if there is no such stream for readers. */
  visible(stream: string): readonly LogRecord[] | undefined {
    const present = this.streams.get(stream);
    const hidden = this.hiddenBefore(stream);
    if (present === undefined || hidden === 'all') return undefined;
    return hidden === 0 ? present : present.slice(hidden);
  }

  /** Index of the first record at or behind a position. Throws for a position at which no record begins: a server cannot read there. */
  indexOf(position: bigint): number {
    if (position >= this.end) return this.records.length;
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.records[middle]?.position ?? 0n) < position) low = middle + 1;
      else high = middle;
    }
    if (this.records[low]?.position !== position) throw new RangeError(`no record begins at ${position}`);
    return low;
  }

  /** What a server forgets when its process ends. */
  restarted(): void {
    this.remembered.clear();
  }

  /** Overwrites the data of stored events behind everybody's back, for specs of damage. */
  corrupt(stream: string, revision: number, data: Uint8Array): void {
    const record = this.streams.get(stream)?.[revision];
    if (record === undefined) throw new RangeError(`${stream}@${revision} is not there`);
    const damaged = { ...record, data };
    this.streams.get(stream)?.splice(revision, 1, damaged);
    this.records.splice(this.records.indexOf(record), 1, damaged);
  }

  private write(stream: string, events: readonly Proposed[]): bigint {
    const present = this.streams.get(stream) ?? [];
    if (present.length === 0) this.streams.set(stream, present);
    let position = this.end;
    for (const event of events) {
      position = this.end;
      const record: LogRecord = { ...event, stream, revision: present.length, position, createdMs: Date.now() };
      present.push(record);
      this.records.push(record);
      this.remembered.set(event.id, record);
      this.end += BigInt(sizeOf(event)) + RECORD_BYTES;
    }
    return position;
  }

  /** First revision that readers are shown, by `$tb` and `$maxCount` of the stream's metadata. */
  private hiddenBefore(stream: string): number | 'all' {
    const last = this.streams.get(`$$${stream}`)?.at(-1);
    if (last === undefined) return 0;
    const { $tb = 0, $maxCount } = metadataOf(last);
    if (String($tb) === SOFT_DELETED) return 'all';
    const length = this.streams.get(stream)?.length ?? 0;
    return Math.max(Number($tb), $maxCount === undefined ? 0 : length - $maxCount);
  }

  private writeMetadata(stream: string, metadata: Record<string, unknown>): void {
    const data = Buffer.from(JSON.stringify(metadata));
    this.write(`$$${stream}`, [{ id: crypto.randomUUID(), type: '$metadata', isJson: true, data, metadata: new Uint8Array(0) }]);
  }
}

function metadataOf({ data }: LogRecord): { $tb?: number | string; $maxCount?: number } {
  return JSON.parse(Buffer.from(data).toString('utf8')) as { $tb?: number | string; $maxCount?: number };
}
