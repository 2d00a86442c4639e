import { describe, expect, it } from '@jest/globals';
import { CHECKPOINT_INTERVAL_MS, TAIL_RETRY_MS, WorkingSet, type WorkingSetFold } from '@cairn/application';
import { createMemoryEventStore, type MemoryEventStore, type StoreFaults } from '@cairn/event-store-memory';
import type { StoredEvent } from '@cairn/kernel';
import { createMemoryArtifacts, createRecordingMetrics, Scheduler, WORLD } from '@cairn/simulated';
import { appendTo, counted } from './history.js';

/** Sums what it is told, and remembers how much it had to fold itself. */
class Sum implements WorkingSetFold {
  readonly name = 'sum';
  total = 0;
  folded = 0;

  constructor(
    readonly types: readonly string[] = ['Counted'],
    readonly foldVersion = 1,
  ) {}

  fold(event: StoredEvent): void {
    this.total += Number(event.data['by']);
    this.folded += 1;
  }

  reset(): void {
    this.total = 0;
  }

  lines(): readonly string[] {
    return [JSON.stringify(this.total)];
  }

  fresh(): Sum {
    return new Sum(this.types, this.foldVersion);
  }

  deserialize(text: string): void {
    this.total = Number(text);
  }
}

class Room {
  readonly scheduler = new Scheduler();
  readonly artifacts = createMemoryArtifacts();
  readonly metrics = createRecordingMetrics();
  readonly heard: string[] = [];

  constructor(public store: MemoryEventStore = createMemoryEventStore()) {}

  set(sum: Sum): WorkingSet {
    const clock = this.scheduler.clockOf(WORLD);
    return new WorkingSet({ store: this.store, disposables: this.artifacts, clock, metrics: this.metrics }, sum, {
      onFolded: (events) => this.heard.push(`folded ${events.length}`),
      onCaughtUp: () => this.heard.push('caught up'),
    });
  }

  async started(sum: Sum): Promise<WorkingSet> {
    const set = this.set(sum);
    await set.start();
    await set.caughtUp;
    return set;
  }

  /** A set that folded so much and put itself away. */
  async putAway(sum: Sum = new Sum()): Promise<void> {
    await (await this.started(sum)).stop();
  }

  pass(ms: number): Promise<number> {
    return this.scheduler.drain(this.scheduler.now + ms);
  }
}

async function roomWith(...amounts: readonly number[]): Promise<Room> {
  const room = new Room();
  for (const [i, by] of amounts.entries()) await appendTo(room.store, `count-${i % 2}`, counted(by));
  return room;
}

describe('a working set', () => {
  it('folds what it names, from the first event on, and is silent until it has caught up', async () => {
    const room = await roomWith(1, 2);
    await appendTo(room.store, 'other-1', counted(100, 'Other'));
    const sum = new Sum();
    const set = await room.started(sum);
    expect(sum.total).toBe(3);
    expect(room.heard).toEqual(['caught up']);
    await appendTo(room.store, 'count-0', counted(4));
    await room.pass(0);
    expect(sum.total).toBe(7);
    expect(room.heard).toEqual(['caught up', 'folded 1']);
    expect(set.isLive).toBe(true);
  });

  it('goes on from its checkpoint', async () => {
    const room = await roomWith(1, 2, 3);
    await room.putAway();
    await appendTo(room.store, 'count-0', counted(4));
    const later = new Sum();
    await room.started(later);
    expect([later.total, later.folded]).toEqual([10, 1]);
  });

  it('puts itself away from time to time when something has changed', async () => {
    const room = await roomWith(5);
    await room.started(new Sum());
    expect(await room.store.readBookmark('working-set/sum')).toBeUndefined();
    await room.pass(CHECKPOINT_INTERVAL_MS + 1);
    expect(await room.store.readBookmark('working-set/sum')).toContain('"foldVersion":1');
  });

  it.each<[string, Sum]>([
    ['other types', new Sum(['Counted', 'Other'])],
    ['another fold', new Sum(['Counted'], 2)],
  ])('begins anew with %s', async (_, sum) => {
    const room = await roomWith(1, 2);
    await room.putAway();
    await room.started(sum);
    expect([sum.total, sum.folded]).toEqual([3, 2]);
  });

  it.each<[string, (room: Room) => Promise<void> | void]>([
    ['is lost', (room) => room.artifacts.forgetNames()],
    ['is rotten', async (room) => room.artifacts.corrupt((await room.artifacts.getName('working-set/sum')) ?? '', Buffer.from('99'))],
    ['cannot be read back', async (room) => room.artifacts.setName('working-set/sum', await room.artifacts.put(Buffer.from('99')))],
  ])('begins anew when its artifact %s', async (_, spoil) => {
    const room = await roomWith(1, 2);
    await room.putAway();
    await spoil(room);
    const sum = new Sum();
    await room.started(sum);
    expect([sum.total, sum.folded]).toEqual([3, 2]);
  });

  it('begins anew on a store that is another one, or was restored', async () => {
    const room = await roomWith(1, 2, 3);
    await room.putAway();
    const bookmark = (await room.store.readBookmark('working-set/sum')) ?? '';
    for (const amounts of [[1], [1, 2, 4], [7, 7, 7, 7]]) {
      const other = await roomWith(...amounts);
      room.store = other.store;
      await other.store.writeBookmark('working-set/sum', bookmark);
      const sum = new Sum();
      await room.started(sum);
      expect(sum.total).toBe(amounts.reduce((total, by) => total + by));
    }
  });

  it('opens a new tail when the store has ended one, and is silent until that has caught up', async () => {
    const faults: StoreFaults & { ends: boolean } = {
      ends: false,
      tail() {
        const ends = this.ends;
        this.ends = false;
        return ends ? { kind: 'ends' } : undefined;
      },
    };
    const room = new Room(createMemoryEventStore({ faults }));
    const sum = new Sum();
    const set = await room.started(sum);
    faults.ends = true;
    await appendTo(room.store, 'count-0', counted(2));
    await room.pass(1);
    expect([set.isLive, sum.total]).toEqual([false, 0]);
    await room.pass(TAIL_RETRY_MS);
    expect([set.isLive, sum.total]).toEqual([true, 2]);
    expect(room.heard).toEqual(['caught up', 'caught up']);
  });
});
