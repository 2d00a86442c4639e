// Goal: F-19, F-37, F-51: while the store takes nothing, nothing is dispatched and nothing is promised; reads go on; once it is back all
// that was accepted completes. Method: another process holds the write lock of the one file. (F-51, a kill in the middle of an append, is
// the kill sweep's `before-append` and `after-append`; the adapter's own specs cut the file at every byte.)
import { expect } from '@jest/globals';
import { join } from 'node:path';
import { Spawned } from '@cairn/testkit';
import { isWhole, RUNS, withCluster, type World } from './kit/with-cluster.js';

const AWAY_MS = isWhole ? 60_000 : 8_000;
const HOLDER = join(import.meta.dirname, 'handlers/hold-write-lock.mjs');

withCluster('faults of the store', {}, (add) => {
  add(
    'F-19, F-37: nobody can append for a while',
    async (world) => {
      const { cluster, load } = world;
      await load.start(RUNS);
      const holder = Spawned.start(HOLDER, [join(cluster.stack.data, 'events.db')]);
      await holder.firstLine;
      const before = await eventsOf(world);
      const acceptedBefore = load.accepted.size;
      void load.start(RUNS);
      await new Promise((later) => setTimeout(later, AWAY_MS));
      expect([await eventsOf(world), load.accepted.size]).toEqual([before, acceptedBefore]);
      const [runId] = load.accepted.values();
      expect((await cluster.call('GET', `runs/${runId ?? ''}`)).status).toBe(200);
      expect(cluster.names.filter((name) => !cluster.process(name).isRunning)).toEqual([]);
      await holder.kill('SIGTERM');
    },
    AWAY_MS + 180_000,
  );
});

async function eventsOf({ load, histories }: World): Promise<number> {
  return (await Promise.all([...load.accepted.values()].map((runId) => histories.of(runId)))).flat().length;
}
