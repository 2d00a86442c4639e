// Goal: who dies is replaced at once. `kill -9` of one of two replicas of execution, and of one of two handlers of each kind, under load:
// each run that was under way has its next event within 2 s. Method: the times of the events themselves.
import { expect } from '@jest/globals';
import type { Id } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { RUNS, SETTLE_MS, withCluster, type World } from './kit/with-cluster.js';

/** `architecture.md` §4.4. What the machine itself holds up is seen before anybody dies, and is not the take-over's. */
const NEXT_EVENT_MS = 2_000;
/** Events of each run before that: enough to see how long one waits for the next while all is well. */
const BEFORE = 12;
const WORK_MS = 20;
const STEPS = 60;

withCluster('take-over', { part: 2, replicas: 2, handlers: ['sdk', 'sdk-2', 'stock', 'stock-2'], workMs: WORK_MS }, (add) => {
  add('kill -9 of one of two replicas of execution', (world) => nextEventAfter(world, ['execution-2']));
  add('kill -9 of one of two SDK handlers', (world) => nextEventAfter(world, ['sdk']));
  add('kill -9 of one of two stock handlers', (world) => nextEventAfter(world, ['stock']));
});

async function nextEventAfter(world: World, victims: readonly string[]): Promise<void> {
  const { load, cluster, histories } = world;
  await load.define('chain-sdk', 'add-sdk', STEPS);
  await load.define('chain-stock', 'add-stock', STEPS);
  await Promise.all([load.start(RUNS / 2, 'chain-sdk'), load.start(RUNS / 2, 'chain-stock')]);
  const runs = load.open.map((key) => load.accepted.get(key) ?? '');
  await waitUntil('each run is on its way', async () => (await eventsOf(world, runs)).every((times) => times.length > BEFORE));
  const died = Date.now();
  await cluster.killAll(victims);
  await load.settled(SETTLE_MS);
  const times = await eventsOf(world, runs);
  const before = times.map((all) => all.filter((at) => at <= died));
  const heldUpMs = Math.max(...before.flatMap((all) => all.slice(1).map((at, i) => at - (all[i] ?? at))));
  const gaps = times.flatMap((all) => {
    const next = all.find((at) => at > died);
    return next === undefined ? [] : [next - died]; // It had ended.
  });
  gaps.sort((a, b) => a - b);
  process.stdout.write(
    `chaos: ${victims.join(' ')} killed: next event of ${gaps.length} runs after ${gaps[Math.floor(gaps.length / 2)] ?? 0} ms, at most ${gaps.at(-1) ?? 0} ms; before that at most ${heldUpMs} ms\n`,
  );
  expect(gaps.length).toBeGreaterThan(RUNS / 2);
  for (const victim of victims) await cluster.run(victim);
  expect(gaps.at(-1)).toBeLessThanOrEqual(NEXT_EVENT_MS + heldUpMs);

  function eventsOf(_: World, ids: readonly Id[]): Promise<number[][]> {
    return Promise.all(ids.map(async (id) => (await histories.of(id)).map(({ at }) => Date.parse(at))));
  }
}
