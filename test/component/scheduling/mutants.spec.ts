// Each planted fault must show in what a stranger sees, else the simulation could not catch it either.
import { describe, expect, it } from '@jest/globals';
import { createMemoryEventStore, type StoreFaults } from '@cairn/event-store-memory';
import { World } from './world.js';

const waiting = {
  cairn: 1,
  name: 'waiting',
  version: '1.0.0',
  steps: [
    {
      id: 'both',
      wait: {
        all: [{ event: { type: 'part.came', key: '${run.key}' } }, { event: { type: 'part.came', key: '${run.key}' } }],
        deadline: '1h',
        onDeadline: { value: 'late' },
      },
    },
  ],
};
const part = { type: 'part.came.v1', id: 'p1', key: 'K' };

/** A world with a run that waits for two parts until its deadline. */
async function waitingWorld(mutants: readonly string[], faults: StoreFaults = {}): Promise<World> {
  const world = await new World(new Set(mutants), createMemoryEventStore({ faults })).start();
  await world.apply(waiting);
  await world.run('waiting', { key: 'K' });
  await world.pass(100);
  return world;
}

const restartedAfterDeadline = async (mutants: readonly string[]): Promise<number> => {
  const world = await waitingWorld(mutants);
  await world.settle(world.scheduling.stop());
  await world.pass(2 * 3_600_000);
  world.scheduling = world.assemble();
  await world.settle(world.scheduling.start());
  await world.pass(20_000);
  return world.events('WaitExpired').length;
};

/** Execution is away when the deadline rings, so that ring is lost. */
const ringLost = async (mutants: readonly string[]): Promise<number> => {
  const world = await waitingWorld(mutants);
  await world.pass(3_590_000);
  world.bus.setOutage(true);
  await world.pass(20_000);
  world.bus.setOutage(false);
  await world.pass(60_000);
  return world.events('WaitExpired').length;
};

const cameEarly = async (mutants: readonly string[]): Promise<number> => {
  const world = await new World(new Set(mutants)).start();
  await world.apply(waiting);
  await world.send(part);
  await world.run('waiting', { key: 'K' });
  await world.pass(20_000);
  return world.events('WaitTriggered').length;
};

/** The first offer is answered too late, so the sweep offers the event again. */
const offeredTwice = async (mutants: readonly string[]): Promise<number> => {
  const world = await waitingWorld(mutants);
  world.bus.setFaults({ loseAnswer: 1 });
  await world.bus.publish({
    subject: 'cairn.default.in.part.came',
    id: 'm1',
    body: { specversion: '1.0', source: '/spec', data: {}, cairnkey: 'K', id: 'p1', type: 'part.came.v1' },
  });
  await world.pass(6_000);
  world.bus.setFaults({});
  await world.pass(30_000);
  return world.events('WaitTriggered').length;
};

/** One event, published twice: the messages have ids of their own. */
const publishedTwice = async (mutants: readonly string[]): Promise<number> => {
  const world = await waitingWorld(mutants);
  await world.send(part);
  await world.send(part);
  return world.events('EventReceived').filter(({ data }) => data['id'] === 'p1').length;
};

const answeredBefore = async (mutants: readonly string[]): Promise<number> => {
  const faults: StoreFaults & { away: boolean } = {
    away: false,
    append() {
      return this.away ? { kind: 'fails' } : undefined;
    },
  };
  const world = await waitingWorld(mutants, faults);
  faults.away = true;
  return world.send(part).then(
    () => 1,
    () => 0,
  );
};

describe('a planted fault shows', () => {
  it.each<[string, (mutants: readonly string[]) => Promise<number>, number, number]>([
    ['M-5: answered before the append', answeredBefore, 0, 1],
    ['M-7: timers in memory only', restartedAfterDeadline, 1, 0],
    ['M-8: the sweep skips what waits', ringLost, 1, 0],
    ['M-10: an early event is not kept', cameEarly, 1, 0],
    ['M-11: one event counted twice', offeredTwice, 1, 2],
    ['M-24: de-duplication by message id alone', publishedTwice, 1, 2],
  ])('%s', async (name, story, right, wrong) => {
    expect(await story([])).toBe(right);
    expect(await story([name.split(':')[0] ?? ''])).toBe(wrong);
  });
});
