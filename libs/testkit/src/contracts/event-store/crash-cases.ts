import assert from 'node:assert/strict';
import type { ContractCase } from '../contract.js';
import { chainOf, sealed, streamNo } from '../sealed-events.js';
import type { EventStoreHarness } from './harness.js';

const A = streamNo(1);

/** The process dies. */
export const crashCases: readonly ContractCase<EventStoreHarness>[] = [
  {
    name: 'E-1: every acknowledged append and bookmark is there after a crash, and the stream goes on behind it',
    run: async ({ store, crash }) => {
      const appends = [...chainOf(A, [['a', 'b'], ['c']])];
      for (const { expected, events } of appends) await store.append(A, expected, events);
      await store.writeBookmark('relay', '3');
      const newest = await store.newest();
      const next = await crash();
      const all = appends.flatMap(({ events }) => events);
      assert.deepStrictEqual(await next.read(A), all);
      assert.deepEqual([await next.readBookmark('relay'), await next.newest()], ['3', newest]);
      assert.notEqual(newest, undefined);
      assert.deepStrictEqual(await next.append(A, 2, sealed(A, 2, ['d'])), { kind: 'appended', revision: 3 });
    },
  },
  {
    name: 'F-51: an append that was under way is there whole or not at all, and can be repeated with its ids',
    run: async ({ store, crash }) => {
      const appends = Array.from({ length: 40 }, (_, i) => ({
        stream: streamNo(i),
        events: sealed(streamNo(i), 'no_stream', ['a', 'b', 'c']),
      }));
      for (const { stream, events } of appends) store.append(stream, 'no_stream', events).catch(() => undefined); // Its process dies.
      const next = await crash();
      for (const { stream, events } of appends) {
        const found = await next.read(stream);
        assert.ok(found.length === 0 || found.length === 3, `${found.length} of 3 events`);
        assert.deepStrictEqual(await next.append(stream, 'no_stream', events), { kind: 'appended', revision: 2 });
        assert.deepStrictEqual(await next.read(stream), events);
      }
    },
  },
];
