// Goal: what is folded live is what the history says, or is found and mended (C-TRUTH). Method: a working set on a memory store and virtual
// time is made anew, beside events that go on coming, from a checkpoint that lies, and without a store.
import { describe, expect, it } from '@jest/globals';
import {
  canonicalLines,
  compareFolds,
  plainOf,
  readCanonicalLines,
  REBUILD_STILL_MS,
  WorkingSet,
  type WorkingSetFold,
} from '@cairn/application';
import { createMemoryEventStore, type MemoryEventStore } from '@cairn/event-store-memory';
import type { StoredEvent } from '@cairn/kernel';
import { createMemoryArtifacts, createRecordingMetrics, Scheduler, WORLD } from '@cairn/simulated';
import { appendTo, counted } from './history.js';

/** Totals by stream. */
class Totals implements WorkingSetFold {
  readonly name = 'totals';
  readonly types = ['Counted'];
  readonly foldVersion = 1;
  private readonly totals = new Map<string, number>();
  private readonly folded = new Map<string, number>();

  fold({ stream, revision, data }: StoredEvent): void {
    if (revision <= (this.folded.get(stream) ?? -1)) return;
    this.folded.set(stream, revision);
    this.totals.set(stream, (this.totals.get(stream) ?? 0) + Number(data['by']));
  }

  reset(): void {
    this.totals.clear();
    this.folded.clear();
  }

  lines(): readonly string[] {
    return canonicalLines([...this.totals].map(([stream, total]) => ['total', stream, [total, this.folded.get(stream)]]));
  }

  deserialize(text: string): void {
    this.reset();
    for (const [, stream, value] of readCanonicalLines(text)) {
      const [total, folded] = value as [number, number];
      this.totals.set(String(stream), total);
      this.folded.set(String(stream), folded);
    }
  }

  fresh(): Totals {
    return new Totals();
  }
}

class Room {
  readonly scheduler = new Scheduler();
  readonly disposables = createMemoryArtifacts();
  readonly heard: string[] = [];
  readonly store: MemoryEventStore = createMemoryEventStore();

  async set(index = new Totals()): Promise<WorkingSet> {
    const ports = {
      store: this.store,
      disposables: this.disposables,
      clock: this.scheduler.clockOf(WORLD),
      metrics: createRecordingMetrics(),
    };
    const set = new WorkingSet(ports, index, {
      onFolded: () => undefined,
      onCaughtUp: () => this.heard.push('caught up'),
      onReplaced: () => this.heard.push('replaced'),
    });
    await set.start();
    await this.settle(set.caughtUp);
    return set;
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => undefined);
    for (let i = 0; i < 1_000 && !settled; i++) await this.scheduler.drain(this.scheduler.now + 100);
    return promise;
  }

  add(...amounts: readonly number[]): Promise<void> {
    return amounts.reduce(async (before, by, i) => {
      await before;
      await appendTo(this.store, `count-${i % 3}`, counted(by));
    }, Promise.resolve());
  }

  /** Changes what was put away, and everything that vouches for it. */
  async forge(change: (text: string) => string): Promise<void> {
    const name = 'working-set/totals';
    const bookmark = JSON.parse((await this.store.readBookmark(name)) ?? '') as { artifact: string };
    const text = Buffer.from((await this.disposables.get(bookmark.artifact)) ?? []).toString('utf8');
    const artifact = await this.disposables.put(Buffer.from(change(text), 'utf8'));
    await this.disposables.setName(name, artifact);
    await this.store.writeBookmark(name, JSON.stringify({ ...bookmark, artifact }));
  }
}

describe('a working set that is made anew', () => {
  it('equals the live one, with how much was folded, and is put away again', async () => {
    const room = new Room();
    await room.add(1, 2, 3, 4);
    const set = await room.set();
    const report = await room.settle(set.rebuild());
    expect(report).toMatchObject({ fold: 'working set totals', events: 4, equal: true, differences: [], after: report.before });
    expect(report.before).toMatch(/^[0-9a-f]{64}$/);
    await set.stop();
    expect(await room.store.readBookmark('working-set/totals')).toContain('"artifact"');
    expect(room.heard).toEqual(['caught up']);
  });

  it('is equal where there is nothing at all', async () => {
    const room = new Room();
    const set = await room.set();
    expect(await room.settle(set.rebuild())).toMatchObject({ events: 0, equal: true });
    await set.stop();
  });

  it('gives the same digest live, from the first event, and behind a checkpoint', async () => {
    const room = new Room();
    const live = await room.set();
    await room.add(5, 6, 7);
    await room.scheduler.drain(room.scheduler.now + 5_000);
    const { before } = await room.settle(live.rebuild());
    await live.stop();
    const loaded = await room.set();
    expect(await room.settle(loaded.rebuild())).toMatchObject({ before, after: before, equal: true });
    await loaded.stop();
  });

  it('meets a live one that events keep moving', async () => {
    const room = new Room();
    await room.add(...Array.from({ length: 50 }, (_, i) => i));
    const set = await room.set();
    const rebuilding = set.rebuild();
    const adding = room.add(...Array.from({ length: 50 }, (_, i) => i));
    expect(await room.settle(rebuilding)).toMatchObject({ equal: true });
    await adding;
    await set.stop();
  });

  it('takes the place of one that a forged checkpoint has led astray, and what was put away is right from then on', async () => {
    const room = new Room();
    await room.add(1, 2, 3);
    await (await room.set()).stop();
    await room.forge((text) => text.replace('"count-1",[2,0]', '"count-1",[2000,0]'));
    const index = new Totals();
    const set = await room.set(index);
    const report = await room.settle(set.rebuild());
    expect(report.differences).toEqual(['- ["total","count-1",[2000,0]]', '+ ["total","count-1",[2,0]]']);
    expect(report).toMatchObject({ equal: false, events: 3 });
    expect(report.before).not.toBe(report.after);
    expect(index.lines()).toContain('["total","count-1",[2,0]]');
    expect(room.heard.slice(-2)).toEqual(['replaced', 'caught up']);
    expect(await room.settle(set.rebuild())).toMatchObject({ equal: true });
    await set.stop();
    const next = new Totals();
    await (await room.set(next)).stop();
    expect(next.lines()).toEqual(index.lines());
  });

  it('says why where the store gives nothing, and the live one goes on', async () => {
    const room = new Room();
    await room.add(1);
    const index = new Totals();
    const set = await room.set(index);
    const tail = room.store.tail.bind(room.store);
    room.store.tail = () => ({ nudge: () => undefined, stop: () => Promise.resolve() });
    const report = await room.settle(set.rebuild());
    room.store.tail = tail;
    expect(report).toMatchObject({ equal: false, problem: 'the store gives no events', events: 0 });
    expect(report.seconds).toBeGreaterThanOrEqual(REBUILD_STILL_MS / 1_000);
    await set.stop();
    expect(index.lines()).toHaveLength(1);
  });
});

describe('canonical lines', () => {
  it('do not depend on the order in which maps and sets were filled', () => {
    const one = {
      names: new Map([
        ['a', 1],
        ['b', 2],
      ]),
      seen: new Set(['x', 'y']),
      gone: undefined,
    };
    const other = {
      seen: new Set(['y', 'x']),
      names: new Map([
        ['b', 2],
        ['a', 1],
      ]),
    };
    expect(
      canonicalLines([
        ['kind', 'k', one],
        ['kind', 'a', 1],
      ]),
    ).toEqual(
      canonicalLines([
        ['kind', 'a', 1],
        ['kind', 'k', other],
      ]),
    );
    expect(plainOf(one)).toEqual({
      names: [
        ['a', 1],
        ['b', 2],
      ],
      seen: ['x', 'y'],
    });
  });

  it('tell some of a large difference, and that lines stand in another order', () => {
    const lines = (prefix: string): string[] => Array.from({ length: 30 }, (_, i) => `${prefix}${i}`);
    const { differences, equal } = compareFolds([...lines('a'), 'same'], ['same', ...lines('b')]);
    expect(equal).toBe(false);
    expect(differences.map((line) => line.slice(0, 3))).toEqual([
      ...Array.from({ length: 10 }, () => '- a'),
      ...Array.from({ length: 10 }, () => '+ b'),
    ]);
    expect(compareFolds(['a', 'b'], ['b', 'a']).differences).toEqual(['~ the same lines in another order']);
    expect(compareFolds(lines('a'), lines('a'))).toMatchObject({ equal: true, differences: [] });
  });
});
