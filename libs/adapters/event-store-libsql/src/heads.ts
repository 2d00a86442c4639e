import type { Revision, StreamName } from '@cairn/kernel';
import type { StreamRow } from './rows.js';

/** Streams whose head is remembered, at most: some 200 bytes each, far above what is ever written to at one time. */
export const HEADS_MAX = 50_000;

/** Where a stream ends. Mutable: the writer moves it within a transaction and forgets all heads if that fails. */
export interface Head {
  readonly streamNo: number;
  readonly row: StreamRow;
  /** -1 while the stream is empty. */
  revision: Revision;
  hash: string;
}

/** Heads by stream in two generations: a lookup moves a head into the young one, and when that is full the old one is dropped. */
export class Heads {
  private young = new Map<StreamName, Head>();
  private old = new Map<StreamName, Head>();

  constructor(private readonly max: number = HEADS_MAX) {}

  get(stream: StreamName): Head | undefined {
    const head = this.young.get(stream);
    if (head !== undefined) return head;
    const older = this.old.get(stream);
    if (older !== undefined) this.set(stream, older);
    return older;
  }

  set(stream: StreamName, head: Head): void {
    if (this.young.size >= this.max / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(stream, head);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
