import { beforeAll, describe, expect, it } from '@jest/globals';
import { TestReader } from './spec/test-reader.js';
import { openLibsqlEventStore } from './open.js';
import { buildForChildren, freshFile, StoreChild } from './spec/store-child.js';

beforeAll(buildForChildren);

const STREAMS = Array.from({ length: 8 }, (_, i) => `receipt-${i}`);

describe('processes on one file', () => {
  it('E-1, F-51: after SIGKILL every acknowledged append is there, none is half there, and the next process goes on', async () => {
    const file = freshFile();
    const acknowledged = new Set<string>();
    for (const appends of [1, 40, 7, 120]) {
      const child = new StoreChild({ file, writer: `w${appends}`, streams: STREAMS, appends: 1_000_000 });
      await child.hasAppended(appends);
      await child.kill();
      for (const { ids } of child.appended) for (const id of ids) acknowledged.add(id);
      const store = await openLibsqlEventStore({ file });
      const streams = await Promise.all(STREAMS.map((stream) => store.read(stream)));
      const stored = new Set(streams.flat().map(({ eventId }) => eventId));
      expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
      for (const events of streams) {
        expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
        expect(events.length % 2).toBe(0);
      }
      await store.close();
    }
  });

  it('two writers share it: no fault, every revision once, and a third process follows both without a gap', async () => {
    const file = freshFile();
    const store = await openLibsqlEventStore({ file, pollMs: 10 });
    const log = new TestReader(store);
    const children = ['a', 'b'].map(
      (writer) => new StoreChild({ file, writer, streams: ['receipt-shared', `receipt-${writer}`], appends: 300 }),
    );
    await Promise.all(children.map((child) => child.ended()));
    const appended = children.flatMap((child) => child.appended);
    expect(children.flatMap((child) => child.faults)).toEqual([]);
    expect(children.every((child) => child.appended.length > 0)).toBe(true);
    expect(new Set(appended.map(({ stream, revision }) => `${stream}@${revision}`)).size).toBe(appended.length);
    const events = await log.has(appended.length * 2);
    const next = new Map<string, number>();
    for (const { stream, revision } of events) {
      expect(revision).toBe(next.get(stream) ?? 0);
      next.set(stream, revision + 1);
    }
    await store.close();
  });
});
