import type { Id, Instant, StoredEvent } from '@cairn/kernel';

/** One inbound event and what its receipt says became of it. */
export interface ReceiptHistory {
  readonly receiptId: Id;
  readonly ns: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly key?: string;
  /** The link that was used. */
  readonly callback?: { readonly waitId: string; readonly name: string };
  readonly at: Instant;
  readonly lines: readonly { readonly outcome: string; readonly runs: readonly { readonly run: string; readonly wait?: string }[] }[];
}

/** The receipts that name a run, by receipt id. */
export class Inbox {
  readonly receipts = new Map<Id, ReceiptHistory>();
  /** Receipt streams that do not begin with exactly one `EventReceived`. */
  readonly malformed: string[] = [];

  constructor(events: readonly StoredEvent[]) {
    const streams = new Map<string, StoredEvent[]>();
    for (const event of events) {
      if (!event.stream.startsWith('receipt-')) continue;
      const stream = streams.get(event.stream) ?? [];
      stream.push(event);
      streams.set(event.stream, stream);
    }
    for (const [stream, stored] of streams) this.add(stream, stored);
  }

  received(receiptId: Id): ReceiptHistory | undefined {
    return this.receipts.get(receiptId);
  }

  private add(stream: string, stored: readonly StoredEvent[]): void {
    const [first, ...rest] = stored;
    const many = stored.filter(({ type }) => type === 'EventReceived').length;
    if (first?.type !== 'EventReceived' || many !== 1) {
      this.malformed.push(`${stream} holds ${many} EventReceived and begins with ${first?.type ?? 'nothing'}`);
      return;
    }
    const data = first.data as Pick<ReceiptHistory, 'receiptId' | 'source' | 'id' | 'type' | 'key' | 'callback'>;
    const { receiptId, source, id, type, key, callback } = data;
    const lines = rest
      .filter(({ type: name }) => name === 'ReceiptSettled')
      .map(({ data: line }) => line as unknown as ReceiptHistory['lines'][number]);
    this.receipts.set(receiptId, {
      receiptId,
      ns: first.metadata.ns,
      source,
      id,
      type,
      ...(key === undefined ? {} : { key }),
      ...(callback === undefined ? {} : { callback }),
      at: first.at,
      lines,
    });
  }
}
