import { Generations } from '@cairn/application';
import type { ReceiptSettled } from '@cairn/domain-schedule';
import type { Id, Instant, StoredEvent } from '@cairn/kernel';

/**
 * Receipts whose first event was folded not long ago. The same event accepted twice in one millisecond is one append, and whoever came
 * second may ask when the tail has told of it already: then nothing would come any more.
 */
const FOLDED_REMEMBERED_MAX = 10_000;

/** A receipt without an outcome. */
export interface Unsettled {
  readonly ns: string;
  readonly receivedAt: Instant;
}

/** Receipts that nobody has said anything about yet, and who waits for this instance's own tail to have told of one. */
export class ReceiptsInHand {
  private readonly pending = new Map<Id, Unsettled>();
  /** With how many versions of definitions stand before each in the history, of whatever namespace. */
  private readonly folded = new Generations<Id, number>(FOLDED_REMEMBERED_MAX);
  private readonly waiting = new Map<Id, Set<() => void>>();

  /** Oldest first of those that came since the start. */
  unsettled(): readonly [Id, Unsettled][] {
    return [...this.pending];
  }

  /** When the event was received, while its receipt has no outcome. */
  receivedAt(receiptId: Id): Instant | undefined {
    return this.pending.get(receiptId)?.receivedAt;
  }

  /** How many of the applied definitions stand before the receipt; all, if it came long ago. */
  definitionsBefore(receiptId: Id): number {
    return this.folded.get(receiptId) ?? Infinity;
  }

  has(receiptId: Id): boolean {
    return this.pending.has(receiptId);
  }

  /**
   * Resolves when the tail has delivered the receipt's first event: then everything committed before it is folded too. Ask before
   * the append or the read that tells of the receipt; `forget` when the answer is not wanted any more.
   */
  expect(receiptId: Id): { readonly folded: Promise<void>; readonly forget: () => void } {
    if (this.pending.has(receiptId) || this.folded.get(receiptId) !== undefined)
      return { folded: Promise.resolve(), forget: () => undefined };
    let resolve: () => void = () => undefined;
    const folded = new Promise<void>((done) => (resolve = done));
    const waiting = this.waiting.get(receiptId);
    if (waiting === undefined) this.waiting.set(receiptId, new Set([resolve]));
    else waiting.add(resolve);
    return { folded, forget: () => this.forget(receiptId, resolve) };
  }

  received(event: StoredEvent, receiptId: Id, definitionsBefore: number): void {
    this.pending.set(receiptId, { ns: event.metadata.ns, receivedAt: event.at });
    if (this.folded.get(receiptId) === undefined) this.folded.set(receiptId, definitionsBefore); // A tail may tell it again, later.
    this.announce(receiptId);
  }

  settled({ receiptId, problem }: ReceiptSettled['data']): void {
    if (problem?.code !== 'idempotency_conflict') this.pending.delete(receiptId); // A conflict says nothing about the first event.
    this.announce(receiptId);
  }

  clear(): void {
    this.pending.clear();
  }

  restore(receiptId: Id, unsettled: Unsettled): void {
    this.pending.set(receiptId, unsettled);
    this.folded.set(receiptId, 0); // What stood before it is not put away: everything is looked at again.
  }

  private announce(receiptId: Id): void {
    const waiting = this.waiting.get(receiptId);
    if (waiting === undefined) return;
    this.waiting.delete(receiptId);
    for (const resolve of waiting) resolve();
  }

  private forget(receiptId: Id, resolve: () => void): void {
    const waiting = this.waiting.get(receiptId);
    waiting?.delete(resolve);
    if (waiting?.size === 0) this.waiting.delete(receiptId);
  }
}
