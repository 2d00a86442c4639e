import type { StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { waitUntil } from '@cairn/testkit';

/** Follows everything from the start and keeps it. */
export class TestReader {
  private readonly events: StoredEvent[] = [];
  readonly faults: unknown[] = [];

  constructor(store: EventStore, types: readonly string[] | 'all' = 'all') {
    store.tail(types, 'start', {
      deliver: (batch) => void this.events.push(...batch.map(({ event }) => event)),
      onFault: (fault) => void this.faults.push(fault),
    });
  }

  async has(count: number): Promise<readonly StoredEvent[]> {
    await waitUntil(`the tail has ${count} events`, () => this.events.length >= count);
    return this.events;
  }
}
