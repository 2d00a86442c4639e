import assert from 'node:assert/strict';
import type { ExpectedRevision } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { ContractCase } from '../contract.js';
import { sealed, streamNo } from '../sealed-events.js';
import type { EventStoreHarness } from './harness.js';

const A = streamNo(1);

/** Appends `count` events one by one, re-reading after each conflict; answers the revisions that it won. */
async function write(store: EventStore, name: string, count: number): Promise<number[]> {
  const won: number[] = [];
  let expected: ExpectedRevision = 'no_stream';
  while (won.length < count) {
    const result = await store.append(A, expected, sealed(A, expected, [`${name}${won.length}`]));
    if (result.kind === 'appended') won.push(result.revision);
    expected = result.kind === 'appended' ? result.revision : result.actual;
  }
  return won;
}

/** Several writers at once. */
export const writerCases: readonly ContractCase<EventStoreHarness>[] = [
  {
    name: 'concurrent writer: of two at one revision exactly one is appended, in one process',
    run: async ({ store }) => {
      const streams = Array.from({ length: 32 }, (_, i) => streamNo(i));
      const results = await Promise.all(
        streams.flatMap((stream) => ['one', 'other'].map((note) => store.append(stream, 'no_stream', sealed(stream, 'no_stream', [note])))),
      );
      for (const [i, stream] of streams.entries()) {
        const kinds = [results[2 * i]!.kind, results[2 * i + 1]!.kind].sort();
        assert.deepEqual(kinds, ['appended', 'conflict']);
        assert.equal((await store.read(stream)).length, 1);
      }
    },
  },
  {
    name: 'concurrent writer: two processes on one stream win each revision once, and see one history',
    run: async ({ store, another }) => {
      const other = await another();
      const [mine, theirs] = await Promise.all([write(store, 'mine', 25), write(other, 'theirs', 25)]);
      assert.deepEqual(
        [...mine!, ...theirs!].sort((a, b) => a - b),
        Array.from({ length: 50 }, (_, i) => i),
      );
      const [here, there] = await Promise.all([store.read(A), other.read(A)]);
      assert.deepStrictEqual(here, there);
      for (const revision of mine!) assert.match(JSON.stringify(here[revision]?.data), /mine/);
    },
  },
  {
    name: 'duplicate: the same append from two processes is stored once, and both succeed',
    run: async ({ store, another }) => {
      const other = await another();
      const events = sealed(A, 'no_stream', ['a', 'b']);
      const results = await Promise.all([store, other].map((writer) => writer.append(A, 'no_stream', events)));
      assert.deepStrictEqual(results, [
        { kind: 'appended', revision: 1 },
        { kind: 'appended', revision: 1 },
      ]);
      assert.deepStrictEqual(await store.read(A), events);
    },
  },
  {
    name: 'F-56: of 64 appends of one tick one conflicts alone, 63 are stored',
    run: async ({ store }) => {
      const streams = Array.from({ length: 64 }, (_, i) => streamNo(i));
      await store.append(streams[17]!, 'no_stream', sealed(streams[17]!, 'no_stream', ['quicker']));
      const results = await Promise.all(
        streams.map((stream) => store.append(stream, 'no_stream', sealed(stream, 'no_stream', ['a', 'b']))),
      );
      assert.deepEqual(
        results.flatMap(({ kind }, i) => (kind === 'conflict' ? [i] : [])),
        [17],
      );
      const lengths = await Promise.all(streams.map(async (stream) => (await store.read(stream)).length));
      assert.deepEqual(
        lengths,
        streams.map((_, i) => (i === 17 ? 1 : 2)),
      );
    },
  },
  {
    name: 'several appends to one stream in one tick are ordered by their expected revisions',
    run: async ({ store }) => {
      const [first, second, stale] = [sealed(A, 'no_stream', ['a']), sealed(A, 0, ['b']), sealed(A, 0, ['c'])];
      const results = await Promise.all([
        store.append(A, 'no_stream', first),
        store.append(A, 0, second),
        store.append(A, 0, stale),
        store.append(A, 'no_stream', first),
      ]);
      assert.deepStrictEqual(results, [
        { kind: 'appended', revision: 0 },
        { kind: 'appended', revision: 1 },
        { kind: 'conflict', actual: 1 },
        { kind: 'appended', revision: 0 },
      ]);
    },
  },
  {
    name: 'what another process has appended is seen by the next append and the next read',
    run: async ({ store, another }) => {
      const other = await another();
      await store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']));
      await other.append(A, 0, sealed(A, 0, ['b']));
      assert.equal((await store.read(A)).length, 2);
      assert.deepStrictEqual(await store.append(A, 0, sealed(A, 0, ['c'])), { kind: 'conflict', actual: 1 });
      assert.deepStrictEqual(await store.append(A, 1, sealed(A, 1, ['c'])), { kind: 'appended', revision: 2 });
    },
  },
];
