// Goal: F-10, F-12, F-13, F-38, F-47, F-48: services that stand still, are doubled, drained or killed all at once. Method: SIGSTOP, SIGTERM
// and SIGKILL by pid, under load.
import { expect } from '@jest/globals';
import { RUNS, SETTLE_MS, withCluster } from './kit/with-cluster.js';

/** A drain (`experience.md` §3.2). */
const DRAIN_MS = 25_000;
/** Start to readiness with everything open (F-38). */
const READY_MS = 15_000;
/** Longer than a session is waited for and than a replica counts as there. */
const STANDSTILL_MS = 4_000;

withCluster('processes', { part: 1, replicas: 2, handlers: ['sdk', 'sdk-2', 'stock', 'stock-2'] }, (add) => {
  for (const name of ['execution', 'execution-2', 'sdk', 'stock'])
    add(`F-12, F-48: ${name} stands still, another goes on, and it comes back`, async ({ cluster, load }) => {
      await load.start(RUNS);
      const { pid } = cluster.process(name);
      await cluster.freeze(pid);
      await load.pumpWhile(pause(STANDSTILL_MS), RUNS);
      cluster.thaw(pid);
      await load.pumpWhile(pause(1_000), RUNS);
    });

  add('F-13: scheduling stands still, a second one takes over, and it comes back', async ({ cluster, load }) => {
    await load.start(RUNS);
    const { pid } = cluster.process('scheduling');
    await cluster.freeze(pid);
    await cluster.run('scheduling-2');
    await load.pumpWhile(pause(3_000), RUNS);
    cluster.thaw(pid);
    await load.pumpWhile(pause(3_000), RUNS);
    await load.settled(SETTLE_MS);
    await cluster.kill('scheduling-2');
  });

  add('F-10: scheduling is away while timers and deadlines come due', async ({ cluster, load }) => {
    await load.start(RUNS);
    await load.start(4 * RUNS, 'napping');
    await cluster.kill('scheduling');
    await pause(3_000);
    await cluster.run('scheduling');
  });

  for (const name of ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'])
    add(`F-47: SIGTERM for ${name} during work: it hands back and ends by itself`, async ({ cluster, load }) => {
      await load.start(RUNS);
      const began = performance.now();
      const ended = cluster.process(name).end();
      await load.pumpWhile(ended, RUNS);
      expect([await ended, performance.now() - began < DRAIN_MS]).toEqual([0, true]);
      await cluster.run(name);
    });

  add('F-38: everything is killed under load, the bus too', async ({ cluster, load }) => {
    await load.start(2 * RUNS);
    const { names, handlers } = cluster;
    const services = names.filter((name) => !handlers.includes(name) && name !== 'scheduling-2');
    const { nats } = cluster.stack;
    await Promise.all([cluster.killAll(), nats.kill()]);
    const began = performance.now();
    await nats.start();
    await Promise.all(services.map((name) => cluster.run(name)));
    const readyMs = performance.now() - began;
    process.stdout.write(`chaos: everything is ready again after ${Math.round(readyMs)} ms\n`);
    await Promise.all(handlers.map((name) => cluster.run(name)));
    await load.settled(SETTLE_MS);
    expect(readyMs).toBeLessThan(READY_MS);
  });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
