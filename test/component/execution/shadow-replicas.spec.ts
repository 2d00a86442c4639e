// Goal: shadows run beside their heads wherever their run is served, and come to their end though a replica dies or joins meanwhile (U-6,
// `architecture.md` §4.4). Method: three real execution services on one memory store, bus and switchboard in virtual time.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { runStream } from '@cairn/kernel';
import { Replicas, SpecSession, type Replica } from './replicas.js';
import { runOf, SESSION } from './world.js';

const RUNS = Array.from({ length: 12 }, (_, i) => `s${i}`);
const STEPS = [
  { id: 'work', task: { queue: 'q' }, lease: '10s', timeout: '1m' },
  { id: 'again', task: { queue: 'q' }, lease: '10s', timeout: '1m' },
];
const SHADOW = { from: { branch: 'main', at: 'work' }, cause: 'what_if', shadow: true, reason: 'what if' };
const WHOLE = ['BranchOpened', 'CheckpointReached', 'StepStarted', 'StepSucceeded', 'StepStarted', 'StepSucceeded', 'ShadowEnded'];

describe('shadows with three replicas', () => {
  let world: Replicas;
  let replicas: Replica[];
  let worker: SpecSession;
  beforeEach(async () => {
    world = new Replicas();
    await world.begin(STEPS);
    replicas = [await world.add(), await world.add(), await world.add()];
    await world.pass(1_000);
    worker = new SpecSession(world, SESSION, { work: 50, free: 100 });
    for (const replica of replicas) worker.speakTo(replica);
    for (const key of RUNS) await world.start(key);
    await world.until(async () =>
      (await Promise.all(RUNS.map((key) => world.types(key)))).every((types) => types.includes('RunCompleted')),
    );
  });

  const shadowOf = async (key: string): Promise<string[]> => (await world.store.read(runStream(runOf(key), 'b2'))).map(({ type }) => type);
  const open = async (): Promise<void> => {
    for (const key of RUNS) expect(await world.command('OpenBranch', key, SHADOW)).toMatchObject({ kind: 'accepted' });
  };
  const allEnded = async (): Promise<boolean> => (await Promise.all(RUNS.map(shadowOf))).every((types) => types.includes('ShadowEnded'));
  const areWhole = async (): Promise<void> => {
    for (const key of RUNS) {
      expect(await shadowOf(key)).toEqual(WHOLE);
      expect((await world.types(key)).slice(-2)).toEqual(['RunCompleted', 'ShadowOpened']); // The run is as it was.
    }
  };

  it('come to their end, each of their tasks given once', async () => {
    const before = worker.given.length;
    await open();
    await world.until(allEnded, 5_000);
    await areWhole();
    expect(worker.given).toHaveLength(before + 2 * RUNS.length);
    expect(new Set(worker.given.slice(before).map(({ cairnbranch }) => cairnbranch))).toEqual(new Set(['b2']));
  });

  it('of which one dies while they are under way: the others bring them to their end', async () => {
    await open();
    world.kill(replicas[0]!);
    await world.until(allEnded, 20_000);
    await areWhole();
  });

  it('and a fourth that joins while they are under way: they go on wherever their run belongs now', async () => {
    await open();
    const fourth = await world.add();
    worker.speakTo(fourth);
    await world.until(allEnded, 20_000);
    await areWhole();
  });
});
