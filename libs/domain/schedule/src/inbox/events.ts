import type { DomainEvent, Id, Instant } from '@cairn/kernel';

/** An event that may yet be wanted: its body stays in the receipt. Stands in `inbox-<hash of ns, type, key>`. */
export type EventKept = DomainEvent<
  'EventKept',
  1,
  {
    readonly receiptId: Id;
    readonly type: string;
    /** '' for an event that has none. */
    readonly key: string;
    readonly source: string;
    readonly id: string;
    readonly receivedAt: Instant;
    readonly until: Instant;
  }
>;

export type InboxEvent = EventKept;
