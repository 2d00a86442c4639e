import assert from 'node:assert/strict';
import type { StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { waitUntil } from '../../wait-until.js';
import type { ContractCase } from '../contract.js';
import { sealed, streamNo } from '../sealed-events.js';
import { TailLog } from '../tail-log.js';
import type { EventStoreHarness } from './harness.js';

const A = streamNo(1);

/** Appends of two events each to so many new streams, from `first` on, all in flight at once; the second event has the type `Rare` in every 50th. */
async function fill(store: EventStore, count: number, first = 0): Promise<StoredEvent[]> {
  const appends = Array.from({ length: count }, (_, i) =>
    sealed(streamNo(first + i), 'no_stream', ['Common:a', (first + i) % 50 === 0 ? 'Rare:b' : 'Plain:b']),
  );
  await Promise.all(appends.map((events) => store.append(events[0]!.stream, 'no_stream', events)));
  return appends.flat();
}

const idsOf = (events: readonly StoredEvent[]): string[] => events.map(({ eventId }) => eventId);

/** Following all streams. */
export const tailCases: readonly ContractCase<EventStoreHarness>[] = [
  {
    name: 'a tail gets what was there and what comes, as it was appended, each stream without a gap',
    run: async ({ store, patienceMs }) => {
      const before = sealed(A, 'no_stream', ['a', 'b']);
      await store.append(A, 'no_stream', before);
      const log = new TailLog(store, patienceMs);
      await log.has(2);
      const after = [sealed(A, 1, ['c'], { traceparent: '00-1' }), sealed(A, 2, ['d', 'e'])];
      for (const events of after) await store.append(A, events[0]!.revision - 1, events);
      await log.has(5);
      assert.deepStrictEqual(log.events, [...before, ...after.flat()]);
      assert.deepEqual(log.faults, []);
      assert.equal(await store.newest(), log.tailed.at(-1)?.position);
      await log.tail.stop();
    },
  },
  {
    name: 'a tail gets only the types that it asks for, also those that never were before',
    run: async ({ store, patienceMs }) => {
      const log = new TailLog(store, patienceMs, { types: ['Rare', 'Later'] });
      const all = await fill(store, 120);
      await log.has(3);
      const later = sealed(A, 1, ['Later:c', 'Plain:d']);
      await store.append(A, 1, later);
      await log.has(4);
      assert.deepEqual(log.ids, [...idsOf(all.filter(({ type }) => type === 'Rare')), later[0]!.eventId]);
      await log.tail.stop();
    },
  },
  {
    name: 'a tail opened after a position goes on with the next event, also within one append',
    run: async ({ store, patienceMs }) => {
      const events = sealed(A, 'no_stream', ['a', 'b', 'c', 'd']);
      await store.append(A, 'no_stream', events);
      const all = await new TailLog(store, patienceMs).has(4);
      for (const [i, { position }] of all.tailed.entries()) {
        const rest = await new TailLog(store, patienceMs, { after: position }).has(3 - i);
        assert.deepEqual(rest.ids, idsOf(events.slice(i + 1)));
      }
      await all.tail.stop();
    },
  },
  {
    name: 'a bookmark of before a crash goes on after it without a gap',
    run: async ({ store, crash, patienceMs }) => {
      const first = await fill(store, 3);
      const before = await new TailLog(store, patienceMs).has(6);
      const after = before.tailed[3]!.position;
      const next = await crash();
      const second = await fill(next, 3, 3);
      const log = await new TailLog(next, patienceMs, { after }).has(8);
      assert.deepEqual(
        [...log.ids].sort(),
        idsOf([...first.filter(({ eventId }) => !before.ids.slice(0, 4).includes(eventId)), ...second]).sort(),
      );
      await log.tail.stop();
    },
  },
  {
    name: 'concurrent writer: appends of another process are seen, between our own, without a gap',
    run: async ({ store, another, patienceMs }) => {
      const other = await another();
      const log = new TailLog(store, patienceMs);
      const rare = new TailLog(store, patienceMs, { types: ['Rare'] });
      const written = await Promise.all([0, 1, 2, 3, 4].map((round) => fill(round % 2 === 0 ? store : other, 50, round * 50)));
      await log.has(500);
      await rare.has(5);
      log.assertGapless();
      assert.deepEqual([...log.ids].sort(), idsOf(written.flat()).sort());
      assert.deepEqual(
        rare.ids,
        log.events.filter(({ type }) => type === 'Rare').map(({ eventId }) => eventId),
      );
      await Promise.all([log.tail.stop(), rare.tail.stop()]);
    },
  },
  {
    name: 'reorder: when two processes take turns on one stream, its revisions still come in order',
    run: async ({ store, another, patienceMs }) => {
      const other = await another();
      const log = new TailLog(store, patienceMs);
      await waitUntil('the tail is live', () => log.caughtUp > 0, patienceMs);
      for (let turn = 0; turn < 60; turn++) {
        const expected = turn === 0 ? 'no_stream' : turn - 1;
        await (turn % 2 === 0 ? other : store).append(A, expected, sealed(A, expected, [`n${turn}`]));
      }
      await log.has(60);
      log.assertGapless();
      await log.tail.stop();
    },
  },
  {
    name: 'catches up over many pages while appends go on: nothing skipped, commit order, rare types too',
    run: async ({ store, patienceMs }) => {
      await fill(store, 900);
      const log = new TailLog(store, patienceMs);
      const rare = new TailLog(store, patienceMs, { types: ['Rare'] });
      for (let round = 0; round < 10; round++) await fill(store, 20, 900 + round * 20);
      await log.has(2_200);
      await rare.has(22);
      log.assertGapless();
      assert.deepEqual(
        rare.ids,
        log.events.filter(({ type }) => type === 'Rare').map(({ eventId }) => eventId),
      );
      const again = await new TailLog(store, patienceMs).has(2_200);
      assert.deepEqual(again.ids, log.ids, 'two tails disagree about the order');
      await Promise.all([log.tail.stop(), rare.tail.stop(), again.tail.stop()]);
    },
  },
  {
    name: 'the next batch waits for deliver; a slow reader holds up neither appends nor other tails, and misses nothing',
    run: async ({ store, patienceMs }) => {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let inside = 0;
      const slow = new TailLog(store, patienceMs, {
        onDeliver: async () => {
          assert.equal(++inside, 1, 'two batches at once');
          await gate;
          inside--;
        },
      });
      const quick = new TailLog(store, patienceMs);
      try {
        await fill(store, 1);
        await waitUntil('the slow tail is busy', () => inside === 1, patienceMs);
        const taken = slow.tailed.length; // How many events make a batch is the store's affair.
        for (let round = 0; round < 5; round++) await fill(store, 300, 1 + round * 300);
        await quick.has(3_002);
        assert.equal(slow.tailed.length, taken);
      } finally {
        release(); // Whoever closes the store waits for what is under way.
      }
      await slow.has(3_002);
      assert.deepEqual(slow.ids, quick.ids);
      assert.deepEqual(slow.faults, []);
      await Promise.all([slow.tail.stop(), quick.tail.stop()]);
    },
  },
  {
    name: 'a deliver that rejects ends its tail with that error and nothing more; other tails go on',
    run: async ({ store, patienceMs }) => {
      const bug = new Error('the reader broke');
      let calls = 0;
      const broken = new TailLog(store, patienceMs, {
        onDeliver: () => {
          calls++;
          throw bug;
        },
      });
      const sound = new TailLog(store, patienceMs);
      await fill(store, 1);
      await waitUntil('the fault is told', () => broken.faults.length === 1, patienceMs);
      await fill(store, 1, 1);
      await sound.has(4);
      assert.deepEqual([broken.faults, calls], [[bug], 1]);
      await sound.tail.stop();
    },
  },
  {
    name: 'after stop no deliver begins, and the one under way has ended',
    run: async ({ store, patienceMs }) => {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let ended = false;
      const log = new TailLog(store, patienceMs, {
        onDeliver: async () => {
          await gate;
          ended = true;
        },
      });
      const witness = new TailLog(store, patienceMs);
      let stopped: Promise<void> | undefined;
      let taken: number | undefined;
      try {
        await fill(store, 1);
        await waitUntil('the tail is busy', () => log.tailed.length > 0, patienceMs);
        taken = log.tailed.length;
        stopped = log.tail.stop().then(() => assert.ok(ended, 'stop did not wait for deliver'));
        await fill(store, 1, 1);
        await witness.has(4);
      } finally {
        release(); // Whoever closes the store waits for what is under way.
      }
      await stopped;
      assert.equal(log.tailed.length, taken);
      await witness.tail.stop();
    },
  },
  {
    name: 'tells when it has caught up: in an empty store, and after a nudge once all that was appended has been looked at',
    run: async ({ store, patienceMs }) => {
      const log = new TailLog(store, patienceMs, { types: ['Rare'] });
      await waitUntil('it has caught up with nothing', () => log.caughtUp > 0, patienceMs);
      await fill(store, 2);
      const before = log.caughtUp;
      log.tail.nudge();
      await waitUntil('it has caught up again', () => log.caughtUp > before, patienceMs);
      assert.equal(log.tailed.length, 1);
      await log.tail.stop();
    },
  },
  {
    name: 'is level in front of what it does not ask for, however much that is, and gets what comes behind it',
    run: async ({ store, patienceMs }) => {
      const log = new TailLog(store, patienceMs, { types: ['Later'] });
      await fill(store, 700);
      const before = log.caughtUp;
      log.tail.nudge();
      await waitUntil('it has caught up', () => log.caughtUp > before, patienceMs);
      assert.equal(log.tailed.length, 0);
      await store.append(A, 1, sealed(A, 1, ['Later:c']));
      await log.has(1);
      await log.tail.stop();
    },
  },
  {
    name: 'newest is undefined in an empty store, and else where the last event stands',
    run: async ({ store, another, patienceMs }) => {
      assert.equal(await store.newest(), undefined);
      await fill(store, 2);
      const log = await new TailLog(store, patienceMs).has(4);
      assert.equal(await (await another()).newest(), log.tailed[3]?.position);
      await log.tail.stop();
    },
  },
];
