// Goal: F-1 to F-9 (§3.3 of the reliability design): every service dies at every hop of a message, the first time it gets there, the second
// and late under load, and no run is lost, doubled or stuck. Method: processes that end themselves by SIGKILL at the hop; a hop that is
// never reached fails. `npm test` takes a few hops by chance, `npm run chaos` all.
import { expect } from '@jest/globals';
import { crashPoints } from '@cairn/nest-kit/crash';
import { within } from '@cairn/testkit';
import { patient, RUNS, withCluster, type World } from './kit/with-cluster.js';

/** Until a hop under load is reached for the time that was chosen. */
const DEATH_MS = patient(60_000);
/** Three deaths and three starts. */
const CASE_MS = patient(300_000);
const points: readonly (readonly [string, string])[] = [
  ...Object.entries(crashPoints).flatMap(([service, hops]) => hops.map((hop) => [service, hop] as const)),
  ...['received', 'effect-done'].map((hop) => ['sdk', hop] as const),
  ...['received', 'effect-done', 'replied', 'acked'].map((hop) => ['stock', hop] as const),
];
/** Hops that come seldom: only a policy that somebody applies is appended by retry-policy, and a bookmark is written once a second. */
const isSeldom = (service: string, hop: string): boolean =>
  hop === 'relay-bookmarked' || (service === 'retry-policy' && (hop.endsWith('append') || hop.endsWith('ack') || hop === 'received'));

withCluster('kill sweep', { part: 2 }, (add) => {
  for (const [name, hop] of points)
    add(
      `${name} dies at ${hop}, the first time, the second and late`,
      async (world) => {
        const late = isSeldom(name, hop) ? 3 : 10 + Math.floor(world.random() * 40);
        for (const count of [1, 2, late])
          await dieAt(world, name, `${name === 'sdk' || name === 'stock' ? 'handler' : name}.${hop}:${count}`);
      },
      CASE_MS,
    );
});

async function dieAt({ cluster, load }: World, name: string, point: string): Promise<void> {
  await cluster.kill(name); // Wherever it happens to be.
  const death = within(`${name}'s death at ${point}`, cluster.doomed(name, point), DEATH_MS);
  const policies = setInterval(() => void load.applyAnotherPolicy(), 500);
  try {
    await load.pumpWhile(death, RUNS);
    expect(await death).toBe('SIGKILL');
  } finally {
    clearInterval(policies);
  }
  await cluster.run(name);
}
