import assert from 'node:assert/strict';
import type { StoredEvent } from '@cairn/kernel';
import type { EventStore, Position, Tail, TailedEvent } from '@cairn/ports';
import { waitUntil } from '../wait-until.js';

/** A reader that writes down what it gets. A tail delivers at least once, so what comes again is dropped, as every reader must. */
export class TailLog {
  readonly tailed: TailedEvent[] = [];
  readonly faults: unknown[] = [];
  caughtUp = 0;
  readonly tail: Tail;
  private readonly seen = new Set<Position>();

  constructor(
    store: EventStore,
    private readonly patienceMs: number,
    {
      types = 'all',
      after = 'start',
      onDeliver,
    }: { types?: readonly string[] | 'all'; after?: Position | 'start'; onDeliver?: () => void | Promise<void> } = {},
  ) {
    this.tail = store.tail(types, after, {
      deliver: async (events) => {
        for (const event of events) {
          if (this.seen.has(event.position)) continue;
          this.seen.add(event.position);
          this.tailed.push(event);
        }
        await onDeliver?.();
      },
      caughtUp: () => void this.caughtUp++,
      onFault: (fault) => void this.faults.push(fault),
    });
  }

  get events(): readonly StoredEvent[] {
    return this.tailed.map(({ event }) => event);
  }

  get ids(): readonly string[] {
    return this.tailed.map(({ event }) => event.eventId);
  }

  async has(count: number): Promise<this> {
    await waitUntil(`the tail has ${count} events`, () => this.tailed.length >= count, this.patienceMs);
    assert.equal(this.tailed.length, count, 'the tail delivered more than there is');
    return this;
  }

  /** Revisions of each stream come as 0, 1, 2, … */
  assertGapless(): void {
    const next = new Map<string, number>();
    for (const { stream, revision } of this.events) {
      assert.equal(revision, next.get(stream) ?? 0, `${stream}: revision ${revision} out of order`);
      next.set(stream, revision + 1);
    }
  }
}
