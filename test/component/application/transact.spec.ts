import { describe, expect, it } from '@jest/globals';
import { transact, type TransactOutcome, type Transaction } from '@cairn/application';
import { createMemoryEventStore, type AppendFault } from '@cairn/event-store-memory';
import { accepted, rejected, type Decision, type DomainEvent, type Rejection, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import { appendTo, counted } from './history.js';

const STREAM = 'count-1';
const LIMIT = 10;
const sum = (state: number, event: StoredEvent): number => state + Number(event.data['by']);

/** Adds 1 unless that would exceed the limit. */
function addOne(state: number): Decision<DomainEvent, Rejection> {
  return state + 1 > LIMIT ? rejected({ code: 'limit_reached', detail: 'enough' }) : accepted([counted(1)]);
}

const context = { ns: 'default', at: '2026-11-24T08:00:01.000Z', actor: 'service:spec', causationId: 'c1' };
const transaction = (more: Partial<Transaction<number, DomainEvent, Rejection>> = {}): Transaction<number, DomainEvent, Rejection> => ({
  stream: STREAM,
  initial: 0,
  evolve: sum,
  decide: addOne,
  context,
  ...more,
});
const add = (store: EventStore, more = {}): Promise<TransactOutcome<number, Rejection>> => transact(store, transaction(more));

/** A store whose next appends meet these faults, one each. */
function storeWith(...faults: readonly AppendFault[]): ReturnType<typeof createMemoryEventStore> {
  const left = [...faults];
  return createMemoryEventStore({ faults: { append: () => left.shift() } });
}

describe('transact', () => {
  it('appends what was decided behind what was read', async () => {
    const store = createMemoryEventStore();
    await appendTo(store, STREAM, counted(3));
    const outcome = await add(store);
    expect(outcome).toMatchObject({ kind: 'accepted', head: { state: 4, expected: 1 } });
    expect((await store.read(STREAM))[1]?.metadata.prevHash).toBe((await store.read(STREAM))[0]?.metadata.hash);
  });

  it('decides anew with the newer state when somebody was quicker', async () => {
    const store = createMemoryEventStore();
    await appendTo(store, STREAM, counted(LIMIT));
    const believed = { state: 0, expected: 'no_stream', prevHash: '' } as const;
    expect(await add(store, { believed })).toMatchObject({ kind: 'rejected', rejection: { code: 'limit_reached' } });
    expect(await store.read(STREAM)).toHaveLength(1);
  });

  it('lets two writers at once both win, one after the other', async () => {
    const store = createMemoryEventStore();
    await Promise.all([
      add(store, { context: { ...context, causationId: 'c1' } }),
      add(store, { context: { ...context, causationId: 'c2' } }),
    ]);
    expect((await store.read(STREAM)).map(({ causationId }) => causationId).sort()).toEqual(['c1', 'c2']);
  });

  it('finds its own events after an append that was stored and never answered (W-1)', async () => {
    const store = storeWith({ kind: 'stored_then_unknown' });
    expect(await add(store)).toMatchObject({ kind: 'accepted', head: { state: 1, expected: 0 } });
    expect(await store.read(STREAM)).toHaveLength(1);
  });

  it('appends again after an append that was lost', async () => {
    const store = storeWith({ kind: 'lost_then_unknown' });
    expect(await add(store)).toMatchObject({ kind: 'accepted', head: { state: 1 } });
    expect(await store.read(STREAM)).toHaveLength(1);
  });

  it('stores once when the first append arrives late', async () => {
    let arrive = (): void => undefined;
    const store = storeWith({ kind: 'stored_later', defer: (later) => (arrive = later) });
    await add(store);
    arrive();
    expect(await store.read(STREAM)).toHaveLength(1);
  });

  it('lets a store that is away be somebody else’s concern', async () => {
    await expect(add(storeWith({ kind: 'fails' }))).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('answers with the state when there is nothing to do', async () => {
    const store = createMemoryEventStore();
    await appendTo(store, STREAM, counted(2));
    const decide = () => ({ kind: 'nothing', because: 'duplicate' }) as const;
    expect(await add(store, { decide })).toMatchObject({ kind: 'nothing', because: 'duplicate', head: { state: 2 } });
  });
});
