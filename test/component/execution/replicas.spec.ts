// Goal: replicas of execution share the runs, and none that dies, is stopped or leaves takes a run with it (`architecture.md` §4.4, F-5 to
// F-8, F-12). Method: real execution services on one memory store, bus and switchboard in virtual time; sessions speak over the line.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { subjects } from '@cairn/contracts';
import { idOf, PARTITIONS } from '@cairn/kernel';
import { Replicas, SpecSession, type Replica } from './replicas.js';
import { EFFECT, OTHER, SESSION } from './world.js';

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

  it('leave a claim to the one who serves its partition, however long that takes to answer: the other could only refuse it', async () => {
    const [partition = 0] = servedBy(one);
    const lease = { attemptId: idOf('random', 'nobody’s'), branch: 'main', epoch: 1 };
    const from = world.scheduler.now;
    world.freeze(one, 700);
    expect(await world.ask(subjects.claim('default', partition), { lease })).toEqual({ granted: false, because: 'over' });
    expect(world.scheduler.now - from).toBeGreaterThanOrEqual(700);
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

  it('of which one leaves: the other serves its runs at once, and what was under way there is answered', async () => {
    session(SESSION, { work: 300, free: 100 });
    for (const key of keys(20)) await world.start(key);
    await world.pass(50);
    const left = world.settle(one.execution.stop());
    await world.pass(5);
    expect(servedBy(two)).toEqual(partitions);
    await left;
    world.kill(one);
    expect(await world.until(() => allEnded(20))).toBeLessThan(2_000);
  });

  it('and a third that joins: runs go on wherever they belong now', async () => {
    const worker = session(SESSION, { work: 20, free: 100 });
    for (const key of keys(30)) await world.start(key);
    const three = await world.add();
    worker.speakTo(three);
    for (const key of keys(60).slice(30)) {
      await world.start(key);
      await world.pass(20); // It begins to serve in the midst of them.
    }
    await world.until(() => allEnded(60), 5_000);
    expect(servedBy(three).length).toBeGreaterThan(5);
    for (const key of keys(60)) expect(await world.types(key)).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });

  it('of which one is stopped and continued: it serves nothing before it has heard the world, and changes nothing that went on (F-12)', async () => {
    session(SESSION, { work: 50, free: 100 });
    for (const key of keys(20)) await world.start(key);
    await world.pass(20);
    const before = servedBy(one);
    const continuedAt = world.scheduler.now + 6_000;
    world.freeze(one, 6_000);
    expect(await world.until(() => servedBy(two).length === PARTITIONS)).toBeLessThan(3_500);
    expect(await world.until(() => allEnded(20))).toBeLessThan(2_500);
    await world.pass(continuedAt - world.scheduler.now + 100);
    expect(servedBy(one)).toEqual([]);
    await world.until(() => servedBy(one).length > 0);
    expect(servedBy(one)).toEqual(before);
    for (const key of keys(20)) expect(await world.types(key)).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });

  it('of which one is cut off from the bus: it judges no lease by a silence that is its own (F-18)', async () => {
    const worker = session(SESSION);
    for (const key of keys(20)) await world.start(key);
    await world.until(() => worker.held.size >= 4);
    one.line.die();
    await world.pass(5_000);
    for (const key of keys(20)) expect(await world.types(key)).not.toContain('StepFailed');
    expect(servedBy(one)).toEqual([]);
    expect(servedBy(two)).toEqual(partitions);
  });
});

describe('what must be claimed, with two replicas', () => {
  const begun = async (): Promise<{ world: Replicas; both: [Replica, Replica] }> => {
    const world = new Replicas();
    await world.begin(EFFECT);
    const both: [Replica, Replica] = [await world.add(), await world.add()];
    await world.pass(1_000);
    return { world, both };
  };

  it('is granted once, and stays with the session that has it when its replica dies', async () => {
    const { world, both } = await begun();
    const workers = [SESSION, OTHER].map((id) => new SpecSession(world, id, { work: 600, free: 10 }));
    for (const worker of workers) for (const replica of both) worker.speakTo(replica);
    for (const key of keys(16)) await world.start(key);
    await world.pass(100);
    world.kill(both[0]);
    await world.until(
      async () => (await Promise.all(keys(16).map((key) => world.types(key)))).every((types) => types.includes('RunCompleted')),
      5_000,
    );
    for (const key of keys(16))
      expect((await world.types(key)).filter((type) => type === 'AttemptTaken' || type === 'StepFailed')).toEqual(['AttemptTaken']);
  });
});
