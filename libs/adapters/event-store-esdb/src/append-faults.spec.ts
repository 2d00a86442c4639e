import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sealed, streamNo, waitUntil, type EsdbStandIn } from '@cairn/testkit';
import type { AppendResult, EventStore } from '@cairn/ports';
import { HASTE, scene } from './spec/scene.js';

const A = streamNo(1);
const events = sealed(A, 'no_stream', ['a', 'b']);
const unknown = expect.objectContaining({ code: 'append_unknown' });
const unavailable = expect.objectContaining({ code: 'store_unavailable' });
const appended = (revision: number): AppendResult => ({ kind: 'appended', revision });

const escaped: unknown[] = [];
const escape = (reason: unknown): void => void escaped.push(reason);
beforeAll(() => void process.on('unhandledRejection', escape));
afterAll(() => {
  process.off('unhandledRejection', escape);
  expect(escaped).toEqual([]);
});

/** Appends of two events each to so many streams, all in flight at once. */
function volley(store: EventStore, from: number, count: number, note = 'n'.repeat(10)): Promise<PromiseSettledResult<AppendResult>[]> {
  return Promise.allSettled(
    Array.from({ length: count }, (_, i) =>
      store.append(streamNo(from + i), 'no_stream', sealed(streamNo(from + i), 'no_stream', [note, 'b'])),
    ),
  );
}

/** W-1: what was unknown is found, or appended with the same ids; either way it is there once and whole. */
async function repeat(
  store: EventStore,
  from: number,
  outcomes: readonly PromiseSettledResult<AppendResult>[],
  note?: string,
): Promise<void> {
  for (const [i, outcome] of outcomes.entries()) {
    const stream = streamNo(from + i);
    const before = (await store.read(stream)).length;
    if (outcome.status === 'fulfilled') expect(before).toBe(2);
    else expect(outcome.reason).toEqual(expect.objectContaining({ code: expect.stringMatching(/append_unknown|store_unavailable/) }));
    if (outcome.status === 'rejected' && outcome.reason.code === 'store_unavailable') expect(before).toBe(0);
    expect([0, 2]).toContain(before);
    const same = sealed(stream, 'no_stream', [note ?? 'n'.repeat(10), 'b']);
    expect(await waitUntil('it is appended', () => store.append(stream, 'no_stream', same))).toEqual(appended(1));
    expect(await store.read(stream)).toHaveLength(2);
  }
}

const storedOf = (server: EsdbStandIn): number => server.log.records.filter(({ stream }) => stream.startsWith('receipt-')).length;

describe('an append whose outcome nobody told', () => {
  it('F-51, W-6: an append that is never answered is unknown after its deadline, alone; it is appended with the same ids', () =>
    scene(
      async ({ server, store }) => {
        server.faults.appends.push({ kind: 'mute' });
        const outcomes = await volley(store, 10, 20);
        expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
        expect(outcomes[0]).toEqual({ status: 'rejected', reason: unknown });
        await repeat(store, 10, outcomes);
      },
      { haste: HASTE },
    ));

  it('F-51, W-1: an append whose answer is lost is found by reading, and the same append again gives its revision', () =>
    scene(
      async ({ server, store }) => {
        server.faults.appends.push({ kind: 'answer_lost' });
        await expect(store.append(A, 'no_stream', events)).rejects.toEqual(unknown);
        expect(await store.read(A)).toEqual(events);
        expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
        expect(storedOf(server)).toBe(2);
      },
      { haste: HASTE },
    ));

  it('T-16: one error on the shared call makes all that is in flight unknown, stored or not, and the next append opens another', () =>
    scene(
      async ({ server, store }) => {
        for (let i = 0; i < 10; i++) server.faults.appends.push({ kind: 'answer_lost' });
        server.faults.appends.push({ kind: 'breaks_stream', stored: false });
        const outcomes = await volley(store, 10, 40);
        expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
        for (const outcome of outcomes) expect(outcome).toEqual({ status: 'rejected', reason: unknown });
        expect(storedOf(server)).toBe(20);
        await repeat(store, 10, outcomes);
        expect(storedOf(server)).toBe(80);
      },
      { haste: HASTE },
    ));

  it('an answer that says nothing is unknown', () =>
    scene(async ({ server, store }) => {
      server.faults.appends.push({ kind: 'unknown', stored: true }, { kind: 'unknown', stored: false });
      await expect(store.append(A, 'no_stream', events)).rejects.toEqual(unknown);
      await expect(store.append(streamNo(2), 'no_stream', sealed(streamNo(2), 'no_stream', ['x']))).rejects.toEqual(unknown);
      expect(storedOf(server)).toBe(2);
    }));

  it.each([true, false])('a server that gave up waiting for itself is asked again with the same ids (stored: %s)', (stored) =>
    scene(async ({ server, store }) => {
      server.faults.appends.push({ kind: 'timeout', stored }, { kind: 'timeout', stored: false });
      expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
      expect(storedOf(server)).toBe(2);
    }),
  );

  it('a slow server is waited for', () =>
    scene(async ({ server, store }) => {
      server.faults.delayMs = 20;
      expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
      expect(await store.append(A, 'no_stream', sealed(A, 'no_stream', ['other']))).toEqual({ kind: 'conflict', actual: 1 });
      expect(await store.read(A)).toEqual(events);
    }));
});

describe('a server that goes away', () => {
  it.each([
    ['small', 'n'.repeat(10)],
    ['large', 'n'.repeat(100_000)],
  ])('E-1, F-51: killed among %s appends it has everything it acknowledged, and nothing of an error escapes', (_, note) =>
    scene(async ({ server, store }) => {
      const flying = volley(store, 10, 60, note);
      await waitUntil('some are stored', () => server.log.records.length > 20);
      await server.kill();
      const outcomes = await flying;
      await expect(store.append(A, 'no_stream', events)).rejects.toEqual(unavailable);
      await expect(store.read(A)).rejects.toEqual(unavailable);
      await expect(store.newest()).rejects.toEqual(unavailable);
      await server.startAgain();
      await waitUntil('the client has connected again', () => store.read(A).then(() => true));
      await repeat(store, 10, outcomes, note);
    }),
  );

  it('F-37: frozen, every call ends by its own deadline, and after it all goes on; what was unknown is there once', () =>
    scene(
      async ({ server, store }) => {
        await store.append(A, 'no_stream', events);
        server.faults.freeze();
        const outcomes = volley(store, 10, 20);
        const reads = Promise.allSettled(Array.from({ length: 5 }, () => store.read(A)));
        for (const read of await reads) expect(read).toEqual({ status: 'rejected', reason: unavailable }); // Never an empty answer.
        await expect(store.newest()).rejects.toEqual(unavailable);
        await expect(store.readBookmark('b')).rejects.toEqual(unavailable);
        expect((await outcomes).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'));
        server.faults.thaw();
        await waitUntil('the store answers again', () => store.read(A).then(() => true));
        await repeat(store, 10, await outcomes);
      },
      { haste: HASTE },
    ));

  it('takes more than is handed over at once, and bounds what is under way', () =>
    scene(async ({ server, store }) => {
      server.faults.freeze();
      const outcomes = volley(store, 10, 700);
      server.faults.thaw();
      expect((await outcomes).every(({ status }) => status === 'fulfilled')).toBe(true);
      expect(storedOf(server)).toBe(1_400);
    }));
});

describe('a connection that carries no append any more', () => {
  it('F-51: while reads are answered on it, it is given up, and what was unknown is appended on another', () =>
    scene(
      async ({ server, store }) => {
        await store.append(A, 'no_stream', events);
        server.faults.stallAppends();
        const reading = setInterval(() => void store.read(A).catch(() => undefined), 100);
        try {
          const outcomes = await volley(store, 10, 20);
          for (const outcome of outcomes) expect(outcome).toEqual({ status: 'rejected', reason: unknown });
          await repeat(store, 10, outcomes); // Reads go on: a connection on which nothing at all is heard is given up anyway.
        } finally {
          clearInterval(reading);
        }
      },
      { haste: HASTE },
    ));
});

describe('a server that refuses', () => {
  it('without rights nothing is stored, and the message names what mends it', () =>
    scene(async ({ server, store }) => {
      server.faults.denied.push('receipt-');
      const refusal = expect.objectContaining({ code: 'store_unavailable', message: expect.stringContaining('cairn store apply') });
      await expect(store.append(A, 'no_stream', events)).rejects.toEqual(refusal);
      await expect(store.read(A)).rejects.toEqual(refusal);
    }));

  it('with a smaller MaxAppendSize of its own, what is larger is too large', () =>
    scene(
      async ({ store }) => {
        const large = sealed(A, 'no_stream', ['x'.repeat(20_000)]);
        await expect(store.append(A, 'no_stream', large)).rejects.toEqual(expect.objectContaining({ code: 'append_too_large' }));
        expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
      },
      { appendBytesMax: 10_000 },
    ));

  it('from before 21.10, which takes one append a call, it is used that way', () =>
    scene(
      async ({ server, store }) => {
        expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
        expect(await store.append(A, 'no_stream', events)).toEqual(appended(1));
        expect(await store.append(A, 'no_stream', sealed(A, 'no_stream', ['other']))).toEqual({ kind: 'conflict', actual: 1 });
        expect(await store.read(A)).toEqual(events);
        server.faults.appends.push({ kind: 'breaks_stream', stored: true });
        const more = sealed(A, 1, ['c']);
        await expect(store.append(A, 1, more)).rejects.toEqual(unknown);
        await waitUntil('the client has connected again', () => store.read(A).then((all) => all.length === 3));
        expect(await store.append(A, 1, more)).toEqual(appended(2));
      },
      { batchAppend: false },
    ));
});
