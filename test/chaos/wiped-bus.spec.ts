// Goal: F-26 and E-5. Everything that the bus holds is removed under load: every run that has a receipt completes within 30 s of
// `cairn bus apply`, by the sweeps alone. Nobody sends anything again. The load has outputs of 100 KiB and events of 10 KiB.
import { expect } from '@jest/globals';
import { waitUntil } from '@cairn/testkit';
import { RUNS, withCluster } from './kit/with-cluster.js';

const COMPLETE_MS = 30_000;
const OUTPUT_BYTES = 102_400;

withCluster('wiped bus', { part: 1 }, (add) => {
  for (const [what, left] of [
    ['just after the runs were accepted', 1],
    ['while they are half-way', 0.5],
  ] as const)
    add(`loses nothing that has a receipt, ${what}`, async ({ cluster, load }) => {
      await Promise.all([load.start(RUNS), load.start(RUNS / 2, 'large', { bytes: OUTPUT_BYTES })]);
      await waitUntil('so many are left', () => load.open.length <= left * load.unjudged().size);
      const { nats } = cluster.stack;
      await nats.kill();
      nats.wipe();
      const open = load.open.length;
      await nats.start();
      await cluster.stack.applyBus();
      const began = performance.now();
      await load.settled(COMPLETE_MS);
      process.stdout.write(`chaos: wiped bus: ${open} open runs completed in ${Math.round(performance.now() - began)} ms\n`);
      expect(open).toBeGreaterThan(0); // Else nothing was lost.
    });
});
