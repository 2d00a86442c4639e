// Goal: E-2, F-7, F-20, F-39: whatever the target of effects does, and whoever dies meanwhile, its ledger shows at most one effect a key, one
// for each that a history confirms, and no second request for an effect that may not be repeated. Method: the target behaves badly for a
// while under load; handlers are killed while they wait for it.
import { type Behaviour } from '@cairn/testkit';
import { expect } from '@jest/globals';
import { RUNS, SETTLE_MS, withCluster } from './kit/with-cluster.js';

withCluster('effects', { part: 1, handlers: ['sdk', 'sdk-2', 'stock', 'stock-2'] }, (add) => {
  for (const behaviour of ['answer-lost', '500', 'hang'] as const satisfies readonly Behaviour[])
    add(`the target says "${behaviour}" for a while`, async ({ cluster, load }) => {
      await load.start(RUNS / 2);
      await cluster.effects.behave({ behaviour, times: RUNS / 2 });
      await load.start(RUNS / 2);
    });

  add('F-7: handlers die between the effect and their reply', async ({ cluster, load }) => {
    await cluster.effects.behave({ behaviour: 'slow', ms: 400 });
    await load.start(RUNS);
    for (const name of ['sdk', 'stock']) {
      await load.pumpWhile(new Promise((later) => setTimeout(later, 500)), RUNS);
      await cluster.kill(name);
      await cluster.run(name);
    }
    await cluster.effects.behave({ behaviour: 'ok' });
  });

  add('the target itself is killed, and comes back with its ledger', async ({ cluster, load }) => {
    await load.start(RUNS);
    await cluster.effects.kill();
    await load.pumpWhile(new Promise((later) => setTimeout(later, 1_000)), RUNS);
    await cluster.effects.startAgain();
    await load.settled(SETTLE_MS);
    expect(cluster.effects.ledger.length).toBeGreaterThan(RUNS);
  });
});
