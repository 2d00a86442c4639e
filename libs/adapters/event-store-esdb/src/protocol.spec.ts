import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  jsonEvent,
  WrongExpectedVersionError,
  type AppendExpectedRevision,
} from '@eventstore/db-client';
import { EsdbStandIn, notRun } from '@cairn/testkit';
import { containedServer, namedServer, type Place } from './spec/real-server.js';

// Goal: the stand-in and a real server give a stock client the same answers, so that what is shown on the one holds on the other.
// Method: one table of appends to one stream, and of what readers are shown, on each.

const START_MS = 180_000;
const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(() => randomUUID()) as [string, string, string, string, string];
const other = (): string => randomUUID();

/** Appends in this order: what is expected, the ids, and the revision that is answered, or the one that refuses. */
const APPENDS: readonly [
  what: string,
  expected: AppendExpectedRevision,
  ids: readonly string[],
  answer: number | { refusedAt: number | 'no_stream' },
][] = [
  ['above an absent stream', 0n, [a], { refusedAt: 'no_stream' }],
  ['to an absent stream', 'no_stream', [a, b], 1],
  ['behind it', 1n, [c], 2],
  ['the first again', 'no_stream', [a, b], 1],
  ['over two appends', 'no_stream', [a, b, c], 2],
  ['a part', 'no_stream', [a], 0],
  ['a part from the middle', 0n, [b], 1],
  ['more than is there', 'no_stream', [a, b, c, d], { refusedAt: 2 }],
  ['partly equal', 'no_stream', [a, other()], { refusedAt: 2 }],
  ['in another order', 'no_stream', [b, a], { refusedAt: 2 }],
  ['others', 'no_stream', [other()], { refusedAt: 2 }],
  ['above', 9n, [other()], { refusedAt: 2 }],
  ['an old id at the current revision: stored again', 2n, [a], 3],
  ['one id twice: stored twice', 3n, [d, d], 5],
  ['whatever is there', 'any', [e], 6],
  ['whatever is there, again', 'any', [e], 6],
];

const standIn: Place = {
  name: 'the stand-in of EventStoreDB',
  found: {
    start: async () => {
      const server = await EsdbStandIn.start();
      return { url: server.url, dispose: () => server.kill() };
    },
  },
};

for (const { name, found } of [standIn, namedServer(), await containedServer()]) {
  describe(`${name} answers a stock client`, () => {
    if ('missing' in found) {
      it('on a real server', () => notRun(`event-store-esdb: the protocol on ${name}`, found.missing));
      return;
    }
    let client: EventStoreDBClient;
    let dispose: () => Promise<void>;
    beforeAll(async () => {
      const server = await found.start();
      client = EventStoreDBClient.connectionString(server.url);
      dispose = server.dispose;
    }, START_MS);
    afterAll(async () => {
      await client.dispose();
      await dispose();
    });

    const append = async (stream: string, expected: AppendExpectedRevision, ids: readonly string[]) => {
      try {
        const events = ids.map((id) => jsonEvent({ id, type: 'Noted', data: {} }));
        const { nextExpectedRevision, position } = await client.appendToStream(stream, events, { expectedRevision: expected });
        return { revision: Number(nextExpectedRevision), isReadable: position !== undefined };
      } catch (error) {
        if (!(error instanceof WrongExpectedVersionError)) throw error;
        const { actualVersion } = error;
        return { refusedAt: typeof actualVersion === 'bigint' ? Number(actualVersion) : actualVersion };
      }
    };
    const read = async (stream: string): Promise<number[]> => {
      const revisions: number[] = [];
      for await (const { event } of client.readStream(stream)) revisions.push(Number(event?.revision));
      return revisions;
    };

    it('to appends by the rule of ids', async () => {
      const stream = `rule-${randomUUID()}`;
      for (const [what, expected, ids, answer] of APPENDS) {
        const wanted = typeof answer === 'number' ? { revision: answer, isReadable: true } : answer;
        expect([what, await append(stream, expected, ids)]).toEqual([what, wanted]);
      }
      expect(await read(stream)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    });

    it('to appends that were trimmed or softly deleted: success without a position, nothing written (T-13: but `no_stream` is taken)', async () => {
      const stream = `rule-${randomUUID()}`;
      for (const [i, id] of [a, b, c].entries()) await append(stream, i === 0 ? 'no_stream' : BigInt(i - 1), [id]);
      await client.setStreamMetadata(stream, { maxCount: 1 });
      expect(await read(stream)).toEqual([2]);
      expect(await append(stream, 'no_stream', [a])).toEqual({ revision: 0, isReadable: false });
      await client.deleteStream(stream);
      await expect(read(stream)).rejects.toThrow(/not found/);
      expect(await append(stream, 'no_stream', [a])).toEqual({ revision: 0, isReadable: false });
      expect(await append(stream, 1n, [other()])).toEqual({ refusedAt: 2 });
      expect(await append(stream, 'no_stream', [other()])).toEqual({ revision: 3, isReadable: true });
      expect(await read(stream)).toEqual([3]);
    });

    it('to readers of the log: a position is included forwards, excluded backwards; where no record begins is an error', async () => {
      const stream = `rule-${randomUUID()}`;
      await append(stream, 'no_stream', [other(), other(), other(), other()]);
      const log = async (options: Parameters<EventStoreDBClient['readAll']>[0]) => {
        const records = [];
        for await (const { event } of client.readAll(options)) records.push(event);
        return records;
      };
      const last = (await log({ direction: BACKWARDS, fromPosition: END, maxCount: 4 })).toReversed();
      const [first, second] = last;
      if (first?.position === undefined || second?.position === undefined) throw new Error('records have positions');
      const revisions = async (options: Parameters<typeof log>[0]) => (await log(options)).map((event) => Number(event?.revision));
      expect(last.map((event) => event?.streamId)).toEqual(Array.from({ length: 4 }, () => stream));
      expect(await revisions({ fromPosition: second.position, maxCount: 2 })).toEqual([1, 2]);
      expect(await revisions({ fromPosition: second.position, maxCount: 1, direction: BACKWARDS })).toEqual([0]);
      const between = first.position.commit + 1n;
      await expect(log({ fromPosition: { commit: between, prepare: between }, maxCount: 1 })).rejects.toThrow(/Unexpected ReadAllResult/);
    });
  });
}
