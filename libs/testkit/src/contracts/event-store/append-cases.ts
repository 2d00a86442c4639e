import assert from 'node:assert/strict';
import { canon, sealAppend, type StoredEvent } from '@cairn/kernel';
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX } from '@cairn/ports';
import type { ContractCase } from '../contract.js';
import { chainOf, sealed, streamNo } from '../sealed-events.js';
import { TailLog } from '../tail-log.js';
import type { EventStoreHarness } from './harness.js';

const A = streamNo(1);
const refused = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;

/** One stream, one writer. */
export const appendCases: readonly ContractCase<EventStoreHarness>[] = [
  {
    name: 'reads back exactly what was appended: bodies, metadata, chain',
    run: async ({ store }) => {
      const runId = '0'.repeat(26);
      const context = {
        at: '2026-01-01T00:00:00.123Z',
        actor: 'user:"ana" ü\u{1f600}',
        causationId: 'c\\d',
        ns: 'other',
        expected: 'no_stream',
      } as const;
      const data = { text: 'line\nü\u{1f600}\u0000', list: [1, -0.5, 1e21, null, true], nested: { a: {}, b: [] } };
      const first = sealAppend(
        { ...context, stream: `run-${runId}+b2`, prevHash: 'a'.repeat(64), runId, branch: 'b2', traceparent: '00-1-2-01' },
        [
          { type: 'BranchOpened', version: 3, data },
          { type: 'Noted', version: 1, data: {} },
        ],
      );
      const fork = sealAppend({ ...context, stream: `run-${runId}+b3`, prevHash: 'b'.repeat(64), runId, branch: 'b3' }, [
        { type: 'BranchOpened', version: 1, data: {} },
      ]);
      const plain = sealAppend({ ...context, stream: A, prevHash: '' }, [{ type: 'Noted', version: 1, data }]);
      const second = sealAppend({ ...context, stream: A, prevHash: 'not the hash before', expected: 0, ns: 'third' }, [
        { type: 'Noted', version: 1, data },
      ]);
      await store.append(first[0]!.stream, 'no_stream', first);
      await store.append(fork[0]!.stream, 'no_stream', fork);
      await store.append(A, 'no_stream', plain);
      await store.append(A, 0, second);
      assert.deepStrictEqual(await store.read(first[0]!.stream), first);
      assert.deepStrictEqual(await store.read(fork[0]!.stream), fork);
      assert.deepStrictEqual(await store.read(A), [...plain, ...second]);
      assert.deepStrictEqual(await store.read(A, 1), second);
    },
  },
  {
    name: 'stores behind exactly the expected revision and answers the last one',
    run: async ({ store }) => {
      const all: StoredEvent[] = [];
      for (const { expected, events } of chainOf(A, [['a', 'b'], ['c'], ['d', 'e', 'f']])) {
        assert.deepStrictEqual(await store.append(A, expected, events), { kind: 'appended', revision: events.at(-1)!.revision });
        all.push(...events);
      }
      assert.deepStrictEqual(await store.read(A), all);
    },
  },
  {
    name: 'reads a range, both ends included; what is not there is empty',
    run: async ({ store }) => {
      const events = sealed(A, 'no_stream', ['a', 'b', 'c', 'd', 'e']);
      await store.append(A, 'no_stream', events);
      assert.deepStrictEqual(await store.read(A, 1, 3), events.slice(1, 4));
      assert.deepStrictEqual(await store.read(A, 4, 100), events.slice(4));
      assert.deepStrictEqual(await store.read(A, 5), []);
      assert.deepStrictEqual(await store.read(streamNo(2)), []);
    },
  },
  {
    name: 'reads a long stream whole',
    run: async ({ store }) => {
      const events = sealed(
        A,
        'no_stream',
        Array.from({ length: 1_700 }, (_, i) => `n${i}`),
      );
      await store.append(A, 'no_stream', events);
      assert.deepStrictEqual(await store.read(A), events);
      assert.deepStrictEqual(await store.read(A, 3, 1_501), events.slice(3, 1_502));
    },
  },
  {
    name: 'refuses every other revision as a conflict that names the actual one, and stores nothing',
    run: async ({ store }) => {
      assert.deepStrictEqual(await store.append(A, 0, sealed(A, 0, ['x'])), { kind: 'conflict', actual: 'no_stream' });
      const events = sealed(A, 'no_stream', ['a', 'b']);
      await store.append(A, 'no_stream', events);
      for (const expected of ['no_stream', 0, 2, 7] as const) {
        assert.deepStrictEqual(
          await store.append(A, expected, sealed(A, expected, ['x', 'y'])),
          { kind: 'conflict', actual: 1 },
          `expected ${expected}`,
        );
      }
      assert.deepStrictEqual(await store.read(A), events);
    },
  },
  {
    name: 'duplicate: the same ids at the same revision succeed with the original revision, also after later appends, and store nothing',
    run: async ({ store }) => {
      const [first, second, third] = [...chainOf(A, [['a', 'b'], ['c'], ['d']])];
      for (const { expected, events } of [first!, second!, first!, third!, second!, first!]) {
        assert.deepStrictEqual(await store.append(A, expected, events), { kind: 'appended', revision: events.at(-1)!.revision });
      }
      const all = [...first!.events, ...second!.events, ...third!.events];
      assert.deepStrictEqual(await store.append(A, 'no_stream', all.slice(0, 3)), { kind: 'appended', revision: 2 }, 'over two appends');
      assert.deepStrictEqual(await store.read(A), all);
    },
  },
  {
    name: 'duplicate: ids that are only partly there are a conflict',
    run: async ({ store }) => {
      const events = sealed(A, 'no_stream', ['a', 'b', 'c']);
      await store.append(A, 'no_stream', events);
      const other = sealed(A, 'no_stream', ['x', 'y', 'z', 'longer']);
      const mixtures = [
        [events[0]!, other[1]!],
        [other[0]!, events[1]!],
        [...events, other[3]!],
      ];
      for (const mixture of mixtures) assert.deepStrictEqual(await store.append(A, 'no_stream', mixture), { kind: 'conflict', actual: 2 });
      assert.deepStrictEqual(await store.read(A), events);
    },
  },
  {
    name: 'duplicate: the end of an append, or its beginning, at its own revision is there already',
    run: async ({ store }) => {
      const events = sealed(A, 'no_stream', ['a', 'b', 'c', 'd']);
      await store.append(A, 'no_stream', events);
      assert.deepStrictEqual(await store.append(A, 'no_stream', events.slice(0, 2)), { kind: 'appended', revision: 1 });
      assert.deepStrictEqual(await store.append(A, 1, events.slice(2)), { kind: 'appended', revision: 3 });
      assert.deepStrictEqual(await store.append(A, 1, [events[2]!]), { kind: 'appended', revision: 2 });
      assert.deepStrictEqual(await store.read(A), events);
    },
  },
  {
    name: 'reads back canonical bodies whatever their keys: integers, names of metadata, names that objects have',
    run: async ({ store }) => {
      const data = JSON.parse('{"10":1,"9":{"2":[],"1":0},"$correlationId":"mine","constructor":null,"":""}') as object;
      const events = sealAppend(
        { stream: A, expected: 'no_stream', prevHash: '', ns: 'main', at: '2026-01-01T00:00:00.000Z', actor: 'a', causationId: 'c' },
        [{ type: 'Noted', version: 1, data }],
      );
      await store.append(A, 'no_stream', events);
      const [found] = await store.read(A);
      assert.equal(found?.body, events[0]!.body);
      assert.equal(canon(found.data), canon(data));
    },
  },
  {
    name: 'W-2: a writer that slept and wakes with other content at the same revision gets a conflict',
    run: async ({ store }) => {
      const slept = sealed(A, 'no_stream', ['mine']);
      assert.equal((await store.append(A, 'no_stream', sealed(A, 'no_stream', ['theirs']))).kind, 'appended');
      assert.deepStrictEqual(await store.append(A, 'no_stream', slept), { kind: 'conflict', actual: 0 });
    },
  },
  {
    name: 'refuses what is too large before it stores anything: one event, the sum, the number',
    run: async ({ store }) => {
      const big = 'x'.repeat(EVENT_BYTES_MAX - 1_000);
      const wide = 'ü'.repeat(EVENT_BYTES_MAX / 2); // Below the limit in characters, above it in bytes.
      const several = Array.from({ length: Math.ceil(APPEND_BYTES_MAX / big.length) + 1 }, () => big);
      const many = Array.from({ length: APPEND_EVENTS_MAX + 1 }, () => 'n');
      for (const notes of [[wide], several, many]) {
        await assert.rejects(store.append(A, 'no_stream', sealed(A, 'no_stream', notes)), refused('append_too_large'));
      }
      assert.deepStrictEqual(await store.read(A), []);
      assert.deepStrictEqual(await store.append(A, 'no_stream', sealed(A, 'no_stream', [big, big])), { kind: 'appended', revision: 1 });
    },
  },
  {
    name: 'stops at what only a bug can ask for: no events, events sealed for another place or with foreign metadata',
    run: async ({ store }) => {
      const [event] = sealed(A, 'no_stream', ['a']);
      const broken = refused('invariant_broken');
      await assert.rejects(store.append(A, 'no_stream', []), broken);
      await assert.rejects(store.append(streamNo(2), 'no_stream', [event!]), broken);
      await assert.rejects(store.append(A, 0, [event!]), broken);
      await assert.rejects(store.append(A, 'no_stream', [{ ...event!, actor: 'user:somebody' }]), broken);
      assert.deepStrictEqual(await store.read(A), []);
    },
  },
  {
    name: 'a bookmark is no event: neither tails nor the newest position see it, and any text is a name',
    run: async ({ store, patienceMs }) => {
      const names = ['a', 'A', 'a-b', 'ü\u{1f600}', '$x', 'a b', '..'];
      for (const name of names) await store.writeBookmark(name, `of ${name}`);
      for (const name of names) assert.equal(await store.readBookmark(name), `of ${name}`);
      assert.equal(await store.newest(), undefined);
      await store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']));
      await store.writeBookmark('a', '');
      assert.equal(await store.readBookmark('a'), '');
      const log = await new TailLog(store, patienceMs).has(1);
      assert.equal(await store.newest(), log.tailed[0]?.position);
      await log.tail.stop();
    },
  },
  {
    name: 'keeps bookmarks by name, the last value counts',
    run: async ({ store, another }) => {
      assert.equal(await store.readBookmark('relay'), undefined);
      await store.writeBookmark('relay', '1');
      await Promise.all([store.writeBookmark('relay', '2'), store.writeBookmark('other', 'ü')]);
      const other = await another();
      assert.deepEqual([await other.readBookmark('relay'), await store.readBookmark('other')], ['2', 'ü']);
    },
  },
  {
    name: 'close ends what is under way; afterwards everything is store_unavailable',
    run: async ({ store }) => {
      const under = store.append(A, 'no_stream', sealed(A, 'no_stream', ['a']));
      await store.close();
      assert.deepStrictEqual(await under, { kind: 'appended', revision: 0 });
      const gone = refused('store_unavailable');
      await assert.rejects(store.append(A, 0, sealed(A, 0, ['b'])), gone);
      await assert.rejects(store.read(A), gone);
      await assert.rejects(store.newest(), gone);
      await assert.rejects(store.writeBookmark('b', '1'), gone);
      await assert.rejects(store.readBookmark('b'), gone);
    },
  },
];
