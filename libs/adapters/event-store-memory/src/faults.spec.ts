import { describe, expect, it } from '@jest/globals';
import { sealed, streamNo, waitUntil } from '@cairn/testkit';
import type { AppendFault, StoreFaults, TailFault } from './faults.js';
import { createMemoryEventStore, type MemoryEventStore } from './memory-event-store.js';

const A = streamNo(1);
const events = sealed(A, 'no_stream', ['a', 'b']);
const append = (store: MemoryEventStore) => store.append(A, 'no_stream', events);
const unavailable = expect.objectContaining({ code: 'store_unavailable' });
const unknown = expect.objectContaining({ code: 'append_unknown' });

/** Faults of one kind, until they are used up. */
function planned({ appends = [], tails = [] }: { appends?: AppendFault[]; tails?: TailFault[] }): StoreFaults {
  return { append: () => appends.shift(), tail: () => tails.shift() };
}

/** What a tail over everything has delivered, in order and with repetitions. */
function follow(store: MemoryEventStore): { notes: unknown[]; faults: unknown[] } {
  const seen = { notes: [] as unknown[], faults: [] as unknown[] };
  store.tail('all', 'start', {
    deliver: (batch) => void seen.notes.push(...batch.map(({ event }) => event.data['note'])),
    onFault: (fault) => void seen.faults.push(fault),
  });
  return seen;
}

describe('event store in memory misbehaves on request', () => {
  it('fails before it stores', async () => {
    const store = createMemoryEventStore({ faults: planned({ appends: [{ kind: 'fails' }] }) });
    await expect(append(store)).rejects.toEqual(unavailable);
    expect(store.allEvents()).toEqual([]);
  });

  it('stores, then loses the answer: W-1 finds the ids by reading, and the same append again succeeds', async () => {
    const store = createMemoryEventStore({ faults: planned({ appends: [{ kind: 'stored_then_unknown' }] }) });
    await expect(append(store)).rejects.toEqual(unknown);
    expect(await store.read(A)).toEqual(events);
    expect(await append(store)).toEqual({ kind: 'appended', revision: 1 });
    expect(store.allEvents()).toHaveLength(2);
  });

  it('loses the append and its answer', async () => {
    const store = createMemoryEventStore({ faults: planned({ appends: [{ kind: 'lost_then_unknown' }] }) });
    await expect(append(store)).rejects.toEqual(unknown);
    expect(await store.read(A)).toEqual([]);
  });

  it('stores after the caller has given up, unless somebody else stands there by then', async () => {
    const late: (() => void)[] = [];
    const later: AppendFault = { kind: 'stored_later', defer: (store) => void late.push(store) };
    const store = createMemoryEventStore({ faults: planned({ appends: [later, later] }) });
    await expect(append(store)).rejects.toEqual(unknown);
    await expect(store.append(A, 'no_stream', sealed(A, 'no_stream', ['other']))).rejects.toEqual(unknown);
    expect(await store.read(A)).toEqual([]);
    for (const carryOut of late) carryOut();
    expect(await store.read(A)).toEqual(events);
  });

  it('tails lag until they are let go, repeat what they had, and drop', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    const tails: TailFault[] = [{ kind: 'lags', until }];
    const store = createMemoryEventStore({ faults: planned({ tails }) });
    const seen = follow(store);
    await append(store);
    await new Promise<void>((resolve) => setImmediate(resolve)); // Every promise that could run has run.
    expect(seen.notes).toEqual([]);
    release();
    await waitUntil('the tail has gone on', () => seen.notes.length === 2);
    tails.push({ kind: 'repeats', events: 1 });
    await store.append(A, 1, sealed(A, 1, ['c']));
    await waitUntil('the tail has repeated', () => seen.notes.length === 4);
    expect(seen.notes).toEqual(['a', 'b', 'b', 'c']);
    tails.push({ kind: 'ends' });
    await store.append(A, 2, sealed(A, 2, ['d']));
    await waitUntil('the tail has dropped', () => seen.faults.length === 1);
    expect([seen.faults, seen.notes.length]).toEqual([[unavailable], 4]);
  });

  it('a dropped subscription goes on behind what it delivered, and skips nothing', async () => {
    let resubscribed = (): void => undefined;
    const until = new Promise<void>((resolve) => (resubscribed = resolve));
    const tails: TailFault[] = [{ kind: 'drops', delivered: 1, until }];
    const store = createMemoryEventStore({ faults: planned({ tails }) });
    const seen = follow(store);
    await store.append(A, 'no_stream', sealed(A, 'no_stream', ['a', 'b', 'c']));
    await waitUntil('one is delivered', () => seen.notes.length === 1);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(seen.notes).toEqual(['a']);
    resubscribed();
    await waitUntil('the rest is delivered', () => seen.notes.length === 3);
    expect(seen).toEqual({ notes: ['a', 'b', 'c'], faults: [] });
  });

  it('frozen, it lets every call hang; afterwards what was asked is done in its order, and tails go on', async () => {
    const store = createMemoryEventStore();
    const seen = follow(store);
    store.setFrozen(true);
    let answers = 0;
    const calls = [
      append(store),
      store.append(A, 'no_stream', sealed(A, 'no_stream', ['late'])),
      store.read(A),
      store.writeBookmark('b', '1'),
    ];
    for (const call of calls) void call.then(() => answers++);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect([answers, seen.notes, store.isFrozen]).toEqual([0, [], true]);
    store.setFrozen(false);
    expect(await Promise.all(calls)).toEqual([{ kind: 'appended', revision: 1 }, { kind: 'conflict', actual: 1 }, events, undefined]);
    await waitUntil('the tail has gone on', () => seen.notes.length === 2);
    expect(await store.readBookmark('b')).toBe('1');
  });

  it('an outage refuses everything and holds the tails up; afterwards all goes on', async () => {
    const store = createMemoryEventStore();
    const seen = follow(store);
    store.setOutage(true);
    for (const call of [append(store), store.read(A), store.newest(), store.readBookmark('b'), store.writeBookmark('b', '1')]) {
      await expect(call).rejects.toEqual(unavailable);
    }
    store.setOutage(false);
    await append(store);
    await waitUntil('the tail has gone on', () => seen.notes.length === 2);
  });

  it('shows an oracle all streams and the order of commits', async () => {
    const store = createMemoryEventStore();
    await append(store);
    await store.append(streamNo(2), 'no_stream', sealed(streamNo(2), 'no_stream', ['x']));
    await store.append(A, 1, sealed(A, 1, ['c']));
    expect([...store.allStreams().keys()]).toEqual([A, streamNo(2)]);
    expect(store.allEvents().map(({ data }) => data['note'])).toEqual(['a', 'b', 'x', 'c']);
  });

  it('delivers by promises alone: one macrotask after an append every tail has everything', async () => {
    const store = createMemoryEventStore();
    const seen = [follow(store), follow(store)];
    await append(store);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(seen.map(({ notes }) => notes)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});
