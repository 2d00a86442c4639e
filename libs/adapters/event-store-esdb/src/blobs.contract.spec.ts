import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256HexOfBytes } from '@cairn/kernel';
import { artifactsContract, EsdbStandIn, tryCase } from '@cairn/testkit';
import { artifactsHarness } from './spec/real-server.js';
import { scene } from './spec/scene.js';

describe('artifacts on the stand-in of EventStoreDB keep the promises of Artifacts', () => {
  let server: EsdbStandIn;
  beforeAll(async () => {
    server = await EsdbStandIn.start();
  });
  afterAll(() => server.kill());

  for (const promise of artifactsContract) it(promise.name, () => tryCase(promise, () => artifactsHarness(server.url)));
});

describe('artifacts in streams', () => {
  const bytes = Uint8Array.from({ length: 1_300_000 }, (_, i) => (i * 7) % 251);
  const stream = `blob-${sha256HexOfBytes(bytes)}`;
  const chunksOf = (server: EsdbStandIn): number => server.log.visible(stream)?.length ?? 0;

  it('are cut into chunks of which each is an append below MaxAppendSize, and written once', () =>
    scene(async ({ server, esdb }) => {
      const sha256 = await esdb.artifacts.put(bytes);
      await esdb.artifacts.put(bytes);
      expect(chunksOf(server)).toBe(3);
      expect(Buffer.from((await esdb.artifacts.get(sha256)) ?? []).equals(bytes)).toBe(true);
    }));

  it('that a crash has left unfinished are no answer, and the next put goes on with them', () =>
    scene(
      async ({ server, esdb }) => {
        // The writer never learns of its first chunk, and gives up.
        server.faults.appends.push({ kind: 'answer_lost' });
        await expect(esdb.artifacts.put(bytes)).rejects.toEqual(expect.objectContaining({ code: 'artifacts_unavailable' }));
        expect(chunksOf(server)).toBe(1);
        expect(await esdb.artifacts.get(sha256HexOfBytes(bytes))).toBeUndefined();
        await esdb.artifacts.put(bytes);
        expect(chunksOf(server)).toBe(3);
        expect(Buffer.from((await esdb.artifacts.get(sha256HexOfBytes(bytes))) ?? []).equals(bytes)).toBe(true);
      },
      { haste: 4 },
    ));

  it('are no events: neither tails nor the newest position see them', () =>
    scene(async ({ esdb, store }) => {
      await esdb.artifacts.put(bytes);
      expect(await store.newest()).toBeUndefined();
    }));
});
