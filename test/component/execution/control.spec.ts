// Goal: a paused run hands nothing out, a cancelled one is with nobody, and people see who has what. Method: as in desk.spec.ts; commands
// come in as the bus brings them.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { attemptOf, EFFECT, OTHER, replyTo, SESSION, World } from './world.js';

describe.each([
  ['a task', undefined],
  ['an effect that must be claimed', EFFECT],
])('%s of a run', (_, steps) => {
  let world: World;
  beforeEach(async () => {
    world = new World(steps);
    await world.begin();
  });
  const pause = () => world.command('PauseRun', { by: 'operator', reason: 'wait' });
  const unpause = () => world.command('UnpauseRun', { by: 'operator' });

  it('that is paused is not handed out, and is when it goes on', async () => {
    expect(await pause()).toMatchObject({ answer: { kind: 'accepted' } });
    expect(await pause()).toMatchObject({ answer: { kind: 'nothing', because: 'duplicate' } });
    await world.pass(6_000); // The sweep offers what is forgotten, and nothing else.
    expect(await world.taskFor(SESSION, 1_000)).toBeUndefined();
    expect(await world.settle(world.execution.desk.poll('default', 'q', { max: 1, waitMs: 100 }))).toEqual([]);
    await unpause();
    expect(await world.taskFor(SESSION, 1_000)).toBeDefined();
  });

  it('that is paused is not handed out after a restart either', async () => {
    await pause();
    await world.restart();
    expect(await world.taskFor(SESSION, 8_000)).toBeUndefined();
    await unpause();
    expect(await world.taskFor(SESSION, 1_000)).toBeDefined();
  });

  it('that is paused goes on with whoever has it', async () => {
    const task = await world.taskFor(SESSION);
    await pause();
    await world.restart();
    await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
    expect((await world.settle(world.frame({ replies: [replyTo(task)] }))).accepted).toHaveLength(1);
    expect(await world.types()).not.toContain('RunCompleted');
    await unpause();
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  });

  it('that is paused while it was about to leave is taken back, or is with its session for good', async () => {
    const asked = world.frame();
    await Promise.all([pause(), world.settle(asked)]);
    const [task] = (await asked).tasks;
    expect(task === undefined ? await world.taskFor(OTHER, 1_000) : undefined).toBeUndefined();
    await unpause();
    const next = task ?? (await world.taskFor(OTHER, 1_000));
    expect((await world.settle(world.frame({ session: OTHER, replies: [replyTo(next)] }))).accepted).toHaveLength(1);
  });

  it('that is paused by another replica is not handed out here', async () => {
    const second = world.assemble('second');
    await world.settle(second.start());
    await world.pass(2_000);
    await pause();
    await world.pass(2_000); // Its tail brings it.
    for (let i = 0; i < 4; i++) expect((await world.settle(world.frame({ session: OTHER }, undefined, second))).tasks).toEqual([]);
    await unpause();
    await world.pass(2_000);
    expect((await world.settle(world.frame({ session: OTHER }, undefined, second))).tasks).toHaveLength(1);
  });

  it('that is cancelled is given to nobody', async () => {
    expect(await world.command('CancelRun', { reason: 'wrong' })).toMatchObject({ answer: { kind: 'accepted' } });
    expect(await world.command('CancelRun', {})).toMatchObject({ answer: { kind: 'nothing', because: 'duplicate', state: 'complete' } });
    expect(await pause()).toMatchObject({ answer: { kind: 'nothing', because: 'late', state: 'complete' } });
    expect(await world.taskFor(SESSION, 1_000)).toBeUndefined();
  });

  it('that is cancelled while somebody has it: the reply is late, once, and no lease is judged any more', async () => {
    const task = await world.taskFor(SESSION);
    await world.command('CancelRun', {});
    const cancelled = await world.types();
    await world.pass(3_000);
    expect(await world.types()).toEqual(cancelled);
    for (let i = 0; i < 2; i++) expect((await world.settle(world.frame({ replies: [replyTo(task)] }))).late).toHaveLength(1);
    expect(await world.types()).toEqual([...cancelled, 'LateResultRecorded']);
  });
});

describe('what people are told', () => {
  it('who serves a queue, what waits in it, and who has an attempt', async () => {
    const world = new World();
    await world.begin();
    const { desk } = world.execution;
    expect(await desk.queue('default', 'q')).toEqual({ handlers: 0, waiting: 1 });
    const task = await world.taskFor(SESSION);
    await world.start('b');
    expect(await desk.queue('default', 'q')).toEqual({ handlers: 1, waiting: 1 });
    expect(await desk.queue('default', 'other')).toEqual({ handlers: 0, waiting: 0 });
    expect(await desk.holder(attemptOf(task))).toBe('spec/1');
    const [polled] = await world.settle(desk.poll('default', 'q', { max: 1, waitMs: 0 }));
    expect(await desk.queue('default', 'q')).toEqual({ handlers: 2, waiting: 0 });
    expect(await desk.holder(attemptOf(polled))).toBe('poll');
    await world.settle(world.frame({ replies: [replyTo(task)] }));
    expect(await desk.holder(attemptOf(task))).toBeUndefined();
    await world.pass(2_000);
    expect(await desk.queue('default', 'q')).toEqual({ handlers: 0, waiting: 0 });
  });

  it('an attempt has its time from taking, however well its handler beats', async () => {
    const world = new World();
    await world.begin();
    await world.pass(90_000); // Nobody has it: no time runs.
    const task = await world.taskFor(SESSION);
    const takenAt = world.scheduler.now;
    while (!(await world.types()).includes('StepFailed')) await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
    expect(world.scheduler.now - takenAt).toBeGreaterThan(60_000);
    expect(world.scheduler.now - takenAt).toBeLessThan(62_000);
    expect((await world.history()).at(-1)).toMatchObject({ data: { failure: { by: 'timeout', code: 'timeout' } } });
    for (let i = 0; i < 2; i++) expect((await world.settle(world.frame({ replies: [replyTo(task)] }))).late).toHaveLength(1);
    expect((await world.types()).filter((type) => type === 'LateResultRecorded')).toHaveLength(1);
  });
});
