// Goal: F-57: thousands of attempts that are open for hours hold nothing open on the bus, and starve no other run. Method: tasks of a queue
// that nobody serves; the server's own numbers.
import { expect } from '@jest/globals';
import { waitUntil } from '@cairn/testkit';
import { RawBus } from './kit/raw-bus.js';
import { isWhole, patient, RUNS, SETTLE_MS, withCluster } from './kit/with-cluster.js';

const OPEN = isWhole ? 10_000 : 500;

withCluster('open for hours', {}, (add) => {
  add(
    `F-57: ${OPEN} open attempts`,
    async ({ cluster, load }) => {
      await load.define('idle', 'nobody', 1);
      await load.startAside(OPEN, 'idle');
      const bus = await RawBus.connect(cluster.stack.nats.url);
      try {
        const isFree = async (): Promise<boolean> => (await bus.ackPending('CAIRN_RUN')) === 0 && (await bus.ackPending('CAIRN_IN')) === 0;
        await waitUntil('no message of a run is held open', isFree, patient(10_000));
      } finally {
        await bus.close();
      }
      const began = performance.now();
      await load.start(RUNS);
      await load.settled(SETTLE_MS);
      process.stdout.write(`chaos: ${RUNS} runs beside ${OPEN} open ones took ${Math.round(performance.now() - began)} ms\n`);
      expect(load.open).toEqual([]);
    },
    patient(600_000),
  );
});
