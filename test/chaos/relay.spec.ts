// Goal: F-3, F-4, F-53 and two relays at once: outsiders see facts twice at most, none is missing, and no run sees anything. Method: a
// second relay of the product's own in this process, a bookmark that is put back while execution is dead, and a stranger who listens.
import { expect } from '@jest/globals';
import { Relay } from '@cairn/application';
import { createJetStreamBus } from '@cairn/bus-jetstream';
import { systemClock } from '@cairn/system';
import { waitUntil } from '@cairn/testkit';
import { handOverTypes, runMessages } from '../../services/execution/src/publishing/run-facts.js';
import { RawBus } from './kit/raw-bus.js';
import { RUNS, SETTLE_MS, withCluster, type World } from './kit/with-cluster.js';

const BOOKMARK = 'relay/execution';
const noMetrics = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

withCluster('relay', { part: 1 }, (add) => {
  add('two relays at once: facts twice, none missing', (world) =>
    listening(world, async (heard, { connection }) => {
      const { load, histories } = world;
      const bus = createJetStreamBus({ connection, clock: systemClock });
      const messagesOf = (event: Parameters<typeof runMessages>[0]) => runMessages(event, () => Promise.resolve('chaos'));
      const { store } = histories;
      const second = new Relay({
        name: 'chaos-second',
        types: handOverTypes,
        messagesOf,
        store,
        bus,
        clock: systemClock,
        metrics: noMetrics,
      });
      await second.start();
      await load.start(RUNS);
      await load.settled(SETTLE_MS);
      await allHeard(world, heard);
      await second.stop();
      expect([...heard.values()].some((times) => times > 1)).toBe(true); // Else there was but one.
    }),
  );

  add('F-53: a relay that goes on from an old bookmark tells again and skips nothing', (world) =>
    listening(world, async (heard) => {
      const { cluster, load, histories } = world;
      await load.start(RUNS); // Nothing is bookmarked before something was told.
      const old = await waitUntil('there is a bookmark', () => histories.store.readBookmark(BOOKMARK));
      await load.start(RUNS);
      await cluster.kill('execution');
      await histories.store.writeBookmark(BOOKMARK, old);
      await cluster.run('execution');
      await load.settled(SETTLE_MS);
      await allHeard(world, heard);
      expect([...heard.values()].some((times) => times > 1)).toBe(true); // Else the old bookmark was not read.
    }),
  );
});

/** How often each fact of a run was heard, by the event's id. The server's own memory of ids is no part of this: a core subscription hears all. */
async function listening(world: World, act: (heard: ReadonlyMap<string, number>, bus: RawBus) => Promise<void>): Promise<void> {
  const bus = await RawBus.connect(world.cluster.stack.nats.url);
  const heard = new Map<string, number>();
  bus.connection.subscribe('cairn.*.evt.run.>', {
    callback: (_, message) => {
      const { eventId } = message.json<{ eventId: string }>();
      heard.set(eventId, (heard.get(eventId) ?? 0) + 1);
    },
  });
  await bus.connection.flush();
  try {
    await act(heard, bus);
  } finally {
    await bus.close();
  }
}

/** Every hand-over of the runs at hand has been told. */
async function allHeard({ load, histories }: World, heard: ReadonlyMap<string, number>): Promise<void> {
  const types: ReadonlySet<string> = new Set(handOverTypes);
  const stored = (await Promise.all([...load.unjudged().values()].map((runId) => histories.of(runId)))).flat();
  const due = stored.filter(({ type }) => types.has(type)).map(({ eventId }) => eventId);
  expect(due.length).toBeGreaterThan(RUNS);
  await waitUntil('every fact was heard', () => due.every((eventId) => heard.has(eventId)), 20_000);
}
