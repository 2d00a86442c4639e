// Goal: replicas of execution share the runs, and none that dies, is stopped or leaves takes a run with it (`architecture.md` §4.4, F-5 to
// F-8, F-12). Method: real execution services on one memory store, bus and switchboard in virtual time; sessions speak over the line.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { PARTITIONS } from '@cairn/kernel';
import { Replicas, SpecSession, type Replica } from './replicas.js';
import { OTHER, SESSION } from './world.js';

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const servedBy = ({ execution }: Replica): number[] => partitions.filter((partition) => execution.rank(partition) === 0);
const keys = (n: number): string[] => Array.from({ length: n }, (_, i) => `r${i}`);

describe('two replicas', () => {
  let world: Replicas;
  let one: Replica;
  let two: Replica;
  beforeEach(async () => {
    world = new Replicas();
    await world.begin();
    one = await world.add();
    two = await world.add();
    await world.pass(1_000);
  });

  const session = (id: string, options: ConstructorParameters<typeof SpecSession>[2] = {}): SpecSession => {
    const session = new SpecSession(world, id, options);
    for (const replica of [one, two]) session.speakTo(replica);
    return session;
  };
  const ended = async (key: string): Promise<boolean> => (await world.types(key)).includes('RunCompleted');
  const allEnded = async (n: number): Promise<boolean> => (await Promise.all(keys(n).map(ended))).every(Boolean);

  it('share the partitions', () => {
    expect([...servedBy(one), ...servedBy(two)].sort((a, b) => a - b)).toEqual(partitions);
    expect(servedBy(one).length).toBeGreaterThan(PARTITIONS * 0.25);
    expect(servedBy(two).length).toBeGreaterThan(PARTITIONS * 0.25);
  });

  it('bring every run to its end, whichever of them its messages reach', async () => {
    const worker = session(SESSION, { work: 10 });
    for (const key of keys(40)) await world.start(key);
    await world.until(() => allEnded(40), 5_000);
    for (const key of keys(40)) expect(await world.types(key)).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
    expect(worker.given).toHaveLength(40);
  });

  it('of which one dies: each of its runs has its next event within two seconds, and none is worked on twice', async () => {
    const worker = session(SESSION, { work: 50, free: 100 });
    for (const key of keys(40)) await world.start(key);
    await world.pass(20);
    world.kill(one);
    expect(await world.until(() => allEnded(40))).toBeLessThan(2_000);
    expect(new Set(worker.given.map(({ id }) => id)).size).toBe(worker.given.length);
    for (const key of keys(40)) expect(await world.types(key)).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });

  it('of which one dies with tasks that nobody has: they are offered by the other within two seconds', async () => {
    for (const key of keys(40)) await world.start(key);
    const worker = session(OTHER, { work: 10, free: 0 });
    await world.pass(1_000);
    expect(worker.given).toHaveLength(0);
    world.kill(two);
    worker.die();
    session(SESSION, { work: 10, free: 100 });
    expect(await world.until(() => allEnded(40))).toBeLessThan(2_000);
  });
});
