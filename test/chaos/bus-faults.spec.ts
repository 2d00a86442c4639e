// Goal: F-14, F-15, F-18, F-20, F-21, F-45, F-46: whatever becomes of the nats-server and of the links to it, accepted runs complete.
// Method: the server is stopped, killed, flapped; links of one service each go through a proxy that is spoiled; then all is healed.
import { expect } from '@jest/globals';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { waitUntil } from '@cairn/testkit';
import { RUNS, SETTLE_MS, withCluster, type World } from './kit/with-cluster.js';

/** How often the server goes and comes. */
const FLAPS = 8;

const LINKED = ['execution', 'scheduling', 'sdk', 'stock'];

withCluster('faults of the bus', { part: 1, linked: LINKED }, (add) => {
  add('F-14: the nats-server stands still: readiness says so, liveness does not, and all that was accepted completes', async (world) => {
    const { cluster, load } = world;
    const { pid } = cluster.stack.nats;
    await load.start(RUNS);
    await cluster.freeze(pid);
    try {
      await waitUntil('execution is not ready', async () => (await health(world, 'execution', 'readyz')) === 503, 20_000);
      expect(await health(world, 'execution', 'healthz')).toBe(200);
    } finally {
      cluster.thaw(pid);
    }
    await waitUntil('execution is ready', async () => (await health(world, 'execution', 'readyz')) === 200, 20_000);
  });

  add('F-15: the nats-server is killed under load, three times', async ({ cluster, load, random }) => {
    const { nats } = cluster.stack;
    for (let i = 0; i < 3; i++) {
      await load.pumpWhile(pause(300 + random() * 700), RUNS);
      await nats.kill();
      await pause(random() * 1_000);
      await nats.start();
    }
  });

  for (const name of LINKED)
    add(`F-18, F-20: ${name} is cut off from the bus, then its connections are reset`, async ({ cluster, load }) => {
      const link = cluster.links.get(name);
      await load.start(RUNS);
      link?.spoil({ requests: { mute: 'hold' }, answers: { mute: 'hold' } });
      await load.pumpWhile(pause(6_000), RUNS);
      link?.reset();
      link?.heal();
    });

  add('F-21: what execution and scheduling say passes, and what they are told is lost', async ({ cluster, load }) => {
    await load.start(RUNS);
    for (const name of ['execution', 'scheduling']) {
      const link = cluster.links.get(name);
      link?.spoil({ answers: { mute: 'drop' } });
      await load.pumpWhile(pause(4_000), RUNS);
      link?.heal();
      link?.reset(); // Bytes are missing: this connection makes no sense any more.
    }
  });

  add('a slow link is only slow', async ({ cluster, load }) => {
    cluster.links.get('execution')?.spoil({ requests: { latencyMs: 30 }, answers: { latencyMs: 30, bytesPerSecond: 500_000 } });
    await load.start(RUNS);
    await load.settled(SETTLE_MS);
    cluster.links.get('execution')?.heal();
  });

  add('F-46: the server flaps every two seconds, and nobody leaks descriptors', async ({ cluster, load }) => {
    const { nats } = cluster.stack;
    const services = ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'];
    const count = (): number[] => services.map((name) => descriptorsOf(cluster.process(name).pid, new URL(cluster.stack.url).port));
    const before = count();
    for (let i = 0; i < FLAPS; i++) {
      await load.pumpWhile(pause(1_000), RUNS);
      await nats.kill();
      await pause(1_000);
      await nats.start();
    }
    await load.settled(SETTLE_MS);
    const most = before.map((descriptors) => descriptors + FLAPS - 1); // One that is lost at each flap is seen.
    await waitUntil('nobody has more', () => count().every((descriptors, i) => descriptors <= (most[i] ?? 0)), 10_000);
  });
});

async function health({ cluster }: World, name: string, what: 'readyz' | 'healthz'): Promise<number> {
  const url = cluster.stack.said.get(name)?.metrics ?? '';
  return (await fetch(`${url}/${what}`)).status;
}

/** What it holds open, but for connections that clients keep to its port: how many those are is theirs to say. */
function descriptorsOf(pid: number, port: string): number {
  const local = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const ofClients = new Set(rows.filter(([, address]) => address?.endsWith(local)).map((row) => `socket:[${row[9]}]`));
  const targets = readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
  return targets.filter((target) => !ofClients.has(target)).length;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
