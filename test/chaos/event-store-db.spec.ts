// Goal: F-19, F-37, F-51 and every service's death on EventStoreDB: what was accepted completes, whatever becomes of the store and of
// those who use it; while it is away nothing is dispatched and nothing is promised. Method: the stack on the stand-in of the protocol, or
// on the server that CAIRN_TEST_ESDB names; each service reaches it over a link of its own.
import { expect } from '@jest/globals';
import { waitUntil } from '@cairn/testkit';
import { isWhole, RUNS, withCluster, type World } from './kit/with-cluster.js';

/** Of these the suite on EventStoreDB takes fewer: it is the same as everywhere, only another store below. */
const LOAD = isWhole ? RUNS : 20;
const AWAY_MS = isWhole ? 60_000 : 7_000;
const KILLS = 3;

withCluster('faults of EventStoreDB', { eventStoreDb: true, part: 1 }, (add) => {
  add('every service is killed under load, one after another', async ({ cluster, load }) => {
    for (const name of ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway']) {
      await load.start(LOAD);
      await cluster.kill(name);
      await cluster.run(name);
    }
  });

  add('F-51: it is killed in the middle of appends, again and again: found, or appended with the same ids', async (world) => {
    const { cluster, load, random } = world;
    const db = cluster.eventStoreDb;
    for (let i = 0; i < KILLS; i++) {
      await load.pumpWhile(pause(500 + random() * 1_000), LOAD);
      await db.kill();
      await pause(random() * 2_000);
      await db.startAgain();
    }
    expect(cluster.names.filter((name) => !cluster.process(name).isRunning)).toEqual([]);
  });

  add('F-51: answers to appends are lost, and calls break between two of them', async ({ cluster, load }) => {
    const appends = cluster.eventStoreDb.standIn?.faults.appends ?? [];
    const spoil = setInterval(() => {
      // Never more than are met soon: those that are left would strike long after everything is healed.
      if (appends.length === 0)
        appends.push({ kind: 'answer_lost' }, { kind: 'breaks_stream', stored: true }, { kind: 'breaks_stream', stored: false });
      cluster.eventStoreDb.standIn?.dropSubscriptions();
    }, 500);
    await load.pumpWhile(pause(AWAY_MS), LOAD).finally(() => clearInterval(spoil));
    appends.length = 0;
  });

  add(
    'F-37: it stands still: nothing is promised, what is known is shown, and all of it is done when it moves again',
    async (world) => {
      const { cluster, load } = world;
      const db = cluster.eventStoreDb;
      await load.start(LOAD);
      const runId = [...load.accepted.values()].at(-1) ?? '';
      const shown = async (): Promise<readonly string[]> =>
        (await cluster.call<{ items: readonly { run: string }[] }>('GET', `runs?tail=${runId}`)).body.items.map(({ run }) => run);
      await waitUntil('the list shows the last of them', async () => (await shown()).includes(runId));
      db.freeze();
      try {
        const acceptedBefore = load.accepted.size;
        void load.start(LOAD).catch(() => undefined); // Only when the case is given up.
        await waitUntil('the gateway says that it is not ready', async () => (await readiness(cluster.stack.url)) === 503, 20_000);
        await pause(AWAY_MS);
        expect(load.accepted.size).toBe(acceptedBefore);
        expect((await fetch(`${cluster.stack.url}/healthz`)).status).toBe(200);
        expect(await shown()).toEqual([runId]);
        expect(cluster.names.filter((name) => !cluster.process(name).isRunning)).toEqual([]);
      } finally {
        db.thaw();
      }
      await waitUntil('the gateway is ready', async () => (await readiness(cluster.stack.url)) === 200, 20_000);
    },
    AWAY_MS + 240_000,
  );

  add('F-19: execution alone is cut off: nothing is dispatched', async (world) => {
    const { cluster, load } = world;
    const link = await cluster.eventStoreDb.link('execution');
    await load.start(LOAD);
    link.spoil({ requests: { mute: 'hold' }, answers: { mute: 'hold' } });
    const before = await startsOf(world);
    try {
      void load.start(LOAD).catch(() => undefined); // Only when the case is given up.
      await pause(AWAY_MS);
      expect(await startsOf(world)).toBe(before);
    } finally {
      link.reset();
      link.heal();
    }
  });
});

async function startsOf({ load, histories }: World): Promise<number> {
  const events = (await Promise.all([...load.accepted.values()].map((runId) => histories.of(runId)))).flat();
  return events.filter(({ type }) => type === 'StepStarted').length;
}

const readiness = async (url: string): Promise<number> => (await fetch(`${url}/readyz`)).status;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
