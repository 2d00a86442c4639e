// Goal: F-32 to F-34, F-36, F-45: messages of the bus that come five times, late and out of order, not at all, or as nonsense, and consumers
// that are gone, change nothing about how runs end. Method: a stranger on the real server who repeats every message that passes, empties
// the streams under the services, publishes garbage, and deletes consumers. (The simulation does the same with every interleaving.)
import { expect } from '@jest/globals';
import { executionPartition, schedulingIntake, schedulingOnRunFacts } from '@cairn/contracts';
import { RawBus } from './kit/raw-bus.js';
import { isWhole, RUNS, SETTLE_MS, withCluster, type World } from './kit/with-cluster.js';

/** All that is stored by bus streams, tasks included. */
const EVERYTHING = ['cairn.*.in.>', 'cairn.*.run.>', 'cairn.*.cmd.>', 'cairn.*.reply.*', 'cairn.*.work.*', 'cairn.*.evt.>'];
const STREAMS = ['CAIRN_RUN', 'CAIRN_EVT', 'CAIRN_WORK', 'CAIRN_CMD'];
const LATE_MS = 10_000;
/** How long messages are lost: several sweeps. */
const LOSING_MS = isWhole ? 120_000 : 12_000;
const PURGE_MS = 20;

withCluster('messages of the bus', { part: 1 }, (add) => {
  add('F-32: every message comes five times', (world) =>
    onTheBus(world, async (bus) => {
      const end = bus.repeat(EVERYTHING, 4, () => 0);
      await world.load.start(RUNS);
      await world.load.settled(SETTLE_MS);
      end();
    }),
  );

  add('F-33: every message comes again, up to ten seconds late and in any order', (world) =>
    onTheBus(world, async (bus) => {
      const end = bus.repeat(EVERYTHING, 2, () => world.random() * LATE_MS);
      await world.load.start(RUNS);
      await world.load.settled(SETTLE_MS);
      await pause(LATE_MS); // The last copies are still to come, and find everything done.
      end();
    }),
  );

  for (const percent of [30, 100])
    add(
      `F-34: ${percent} % of the messages are lost for a while`,
      (world) =>
        onTheBus(world, async (bus) => {
          let losing = true;
          const lose = async (): Promise<void> => {
            while (losing) {
              // What a stream holds when it is emptied is lost: what is given to a consumer at once is not.
              if (world.random() * 100 < percent) await Promise.all(STREAMS.map((stream) => bus.purge(stream)));
              await pause(PURGE_MS);
            }
          };
          const lost = lose();
          await world.load.pumpWhile(pause(LOSING_MS), RUNS);
          losing = false;
          await lost;
        }),
      LOSING_MS + 120_000,
    );

  add('F-36: nonsense on every subject ends as a dead letter or a refusal, and nobody dies of it', (world) =>
    onTheBus(world, async ({ connection }) => {
      const pids = world.cluster.names.map((name) => world.cluster.process(name).pid);
      const nonsense = [
        '',
        'null',
        '[]',
        '{',
        '{"data":1}',
        '\u0000',
        `{"id":${'9'.repeat(400)}}`,
        '['.repeat(10_000) + ']'.repeat(10_000),
        'x'.repeat(1_000_000),
      ];
      const subjects = [
        'cairn.default.in.chaos.go',
        'cairn.default.run.start.chaos',
        'cairn.default.run.nobody.cancel',
        'cairn.default.cmd.execution.3.record-reply',
        'cairn.default.cmd.scheduling.apply-definition',
        'cairn.default.cmd.retry-policy.apply-policy',
        'cairn.default.reply.3',
        'cairn.default.evt.run.step-failed.x',
        'cairn.default.claim.3',
        'cairn.presence.execution.x',
      ];
      for (const subject of subjects) for (const text of nonsense) connection.publish(subject, text);
      await connection.flush();
      await world.load.start(RUNS);
      await world.load.settled(SETTLE_MS);
      expect(world.cluster.names.map((name) => world.cluster.process(name).pid)).toEqual(pids);
      expect(world.cluster.names.filter((name) => !world.cluster.process(name).isRunning)).toEqual([]);
    }),
  );

  add('F-45: consumers are gone; once the bus is applied again everything goes on without a restart', (world) =>
    onTheBus(world, async (bus) => {
      await world.load.start(RUNS);
      const specs = [schedulingIntake, schedulingOnRunFacts, executionPartition(0), executionPartition(17), executionPartition(63)];
      for (const { busStream, durable } of specs) await bus.deleteConsumer(busStream, durable);
      await world.load.pumpWhile(pause(3_000), RUNS);
      await world.cluster.stack.applyBus();
    }),
  );
});

async function onTheBus(world: World, act: (bus: RawBus) => Promise<void>): Promise<void> {
  const bus = await RawBus.connect(world.cluster.stack.nats.url);
  try {
    await act(bus);
  } finally {
    await bus.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
