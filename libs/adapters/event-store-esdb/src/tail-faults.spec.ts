import { describe, expect, it } from '@jest/globals';
import type { EventStore, TailedEvent } from '@cairn/ports';
import { sealed, streamNo, TcpProxy, waitUntil } from '@cairn/testkit';
import { HASTE, scene } from './spec/scene.js';

/** What a tail delivers, repetitions and all. */
function follow(store: EventStore, types: readonly string[] | 'all' = 'all', after?: string) {
  const seen = { events: [] as TailedEvent[], faults: [] as unknown[], level: 0 };
  const tail = store.tail(types, after ?? 'start', {
    deliver: (events) => void seen.events.push(...events),
    caughtUp: () => void seen.level++,
    onFault: (fault) => void seen.faults.push(fault),
  });
  return Object.assign(seen, { tail });
}

async function fill(store: EventStore, from: number, count: number, type = 'Noted'): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      store.append(streamNo(from + i), 'no_stream', sealed(streamNo(from + i), 'no_stream', [`${type}:a`, 'Other:b'])),
    ),
  );
}

/** None lost, none double, in the order of commits. */
function expectWhole({ events, faults }: ReturnType<typeof follow>, count: number): void {
  expect(faults).toEqual([]);
  expect(new Set(events.map(({ event }) => event.eventId)).size).toBe(count);
  expect(events).toHaveLength(count);
  const commits = events.map(({ position }) => BigInt(position.split('/')[0] ?? ''));
  expect(commits.every((commit, i) => i === 0 || commit > (commits[i - 1] ?? 0n))).toBe(true);
}

describe('a tail on a server that drops it', () => {
  it('goes on behind what it has, with nothing lost, doubled or out of order, however often it is dropped', () =>
    scene(async ({ server, store }) => {
      const all = follow(store);
      const some = follow(store, ['Noted']);
      for (let round = 0; round < 20; round++) {
        await fill(store, round * 30, 30);
        server.dropSubscriptions();
      }
      await waitUntil('all is there', () => all.events.length >= 1_200 && some.events.length >= 600);
      expectWhole(all, 1_200);
      expectWhole(some, 600);
    }));

  it('goes on after the server was killed and started again', () =>
    scene(async ({ server, store }) => {
      const all = follow(store);
      for (let round = 0; round < 3; round++) {
        await fill(store, round * 50, 50);
        await server.kill();
        await server.startAgain();
        await waitUntil('the client has connected again', () => store.read(streamNo(1)).then(() => true));
      }
      await waitUntil('all is there', () => all.events.length >= 300);
      expectWhole(all, 300);
    }));

  it('is opened again although it was dropped so often that it waits longer than the gap behind it may stay open', () =>
    scene(async ({ server, store }) => {
      const all = follow(store);
      await fill(store, 0, 10);
      await waitUntil('it is level', () => all.level > 0 && all.events.length === 20);
      server.faults.muteSubscriptions = true; // No progress: each drop doubles the wait for the next subscription.
      for (let dropped = 0; dropped < 9; dropped++) {
        await waitUntil('it has subscribed', () => server.subscribers > 0);
        server.dropSubscriptions();
        await waitUntil('it is dropped', () => server.subscribers === 0);
      }
      await fill(store, 10, 10);
      server.faults.muteSubscriptions = false;
      await waitUntil('all is there', () => all.events.length >= 40);
      expectWhole(all, 40);
    }));

  it('goes on after the server was frozen, and says that it is level when it is', () =>
    scene(
      async ({ server, store }) => {
        const all = follow(store);
        await fill(store, 0, 20);
        await waitUntil('it is level', () => all.level > 0 && all.events.length === 40);
        server.faults.freeze();
        await expect(store.read(streamNo(1))).rejects.toThrow();
        await expect(store.read(streamNo(1))).rejects.toThrow();
        server.faults.thaw();
        await waitUntil('the store answers again', () => store.read(streamNo(1)).then(() => true));
        await fill(store, 100, 20);
        const before = all.level;
        all.tail.nudge();
        await waitUntil('it is level again', () => all.level > before);
        expectWhole(all, 80);
      },
      { haste: HASTE },
    ));

  it('opens anew where a subscription is alive and says nothing', () =>
    scene(
      async ({ server, store }) => {
        const all = follow(store);
        await waitUntil('it is level', () => all.level > 0);
        server.faults.muteSubscriptions = true;
        await fill(store, 0, 5);
        server.faults.muteSubscriptions = false;
        await waitUntil('all is there', () => all.events.length >= 10);
        expectWhole(all, 10);
      },
      { haste: HASTE },
    ));

  it('is level in front of events that its filter leaves out, bookmarks among them', () =>
    scene(async ({ store }) => {
      const none = follow(store, ['Never']);
      await fill(store, 0, 40);
      for (let i = 0; i < 3; i++) await store.writeBookmark('relay', String(i));
      const before = none.level;
      none.tail.nudge();
      await waitUntil('it is level', () => none.level > before);
      expect(none.events).toEqual([]);
    }));
});

describe('a tail that cannot go on', () => {
  it('ends where its position is not of this database: beyond the end, or where no record begins', () =>
    scene(async ({ store }) => {
      await fill(store, 0, 3);
      const beyond = follow(store, 'all', '999999999/999999999');
      await waitUntil('it has ended', () => beyond.faults.length > 0);
      expect(beyond.faults).toEqual([
        expect.objectContaining({ code: 'stream_corrupt', message: expect.stringContaining('999999999/999999999') }),
      ]);
      const between = follow(store, 'all', '1/1');
      await waitUntil('it has ended', () => between.faults.length > 0);
      expect(between.faults).toEqual([expect.objectContaining({ code: 'store_unavailable', message: expect.stringContaining('1/1') })]);
      expect(() => store.tail('all', '17', { deliver: () => undefined, onFault: () => undefined })).toThrow(/not a position/);
    }));

  it('ends at an event of ours that was damaged, naming it; foreign ones are passed over', () =>
    scene(async ({ server, store }) => {
      const foreign = { id: crypto.randomUUID(), type: 'Noted', isJson: true, data: Buffer.from('{}'), metadata: Buffer.from('{}') };
      server.log.append('elsewhere-1', 'no_stream', [foreign]);
      await fill(store, 0, 2);
      server.log.corrupt(streamNo(1), 0, Buffer.from('not JSON'));
      const all = follow(store);
      await waitUntil('it has ended', () => all.faults.length > 0);
      expect(all.faults).toEqual([
        expect.objectContaining({ code: 'stream_corrupt', message: expect.stringContaining(`${streamNo(1)}@0`) }),
      ]);
      await expect(store.read(streamNo(1))).rejects.toEqual(expect.objectContaining({ code: 'stream_corrupt' }));
      expect(await store.read(streamNo(0))).toHaveLength(2);
    }));
});

describe('a client that hangs', () => {
  it('is replaced when nothing was heard for the deadline of a call, although its connection stands', async () => {
    let port = 0;
    const proxy = await TcpProxy.start(() => ({ host: '127.0.0.1', port }));
    const through = (url: string): string => {
      port = Number(/:([0-9]+)\?/.exec(url)?.[1]);
      return `esdb://127.0.0.1:${proxy.port}?tls=false`;
    };
    await scene(
      async ({ store }) => {
        const all = follow(store);
        await fill(store, 0, 5);
        await waitUntil('all is there', () => all.events.length === 10);
        expect(proxy.connections).toBe(1);
        proxy.spoil({ requests: { mute: 'drop' }, answers: { mute: 'drop' } });
        await expect(store.append(streamNo(90), 'no_stream', sealed(streamNo(90), 'no_stream', ['a']))).rejects.toThrow();
        await waitUntil('another client connects', () => {
          store.read(streamNo(1)).catch(() => undefined);
          return proxy.connections > 1;
        });
        proxy.heal();
        await waitUntil('the store answers again', () => store.read(streamNo(1)).then(() => true));
        await fill(store, 100, 5);
        await waitUntil('the rest is there', () => all.events.length >= 20);
        expectWhole(all, 20);
      },
      { through, haste: HASTE },
    ).finally(() => proxy.close());
  });
});
