// Goal: who has which attempt, and until when (`architecture.md` §4.2). Method: the desk of a real execution service on virtual time,
// memory store and memory bus; the spec is the handler and sends frames.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ExchangeResponse } from '@cairn/contracts';
import { attemptOf, OTHER, replyTo, SESSION, World } from './world.js';

describe('the desk', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.begin();
  });

  it('gives a task once, and records its reply once', async () => {
    const { tasks } = await world.settle(world.frame());
    expect(tasks).toHaveLength(1);
    const first = await world.settle(world.frame({ replies: [replyTo(tasks[0])] }));
    expect(first).toMatchObject({ accepted: [`${attemptOf(tasks[0])}:end`], late: [] });
    const again = await world.settle(world.frame({ replies: [replyTo(tasks[0])] }));
    expect(again).toMatchObject({ accepted: [`${attemptOf(tasks[0])}:end`] });
    expect(await world.types()).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });

  it('records a second, other reply as late', async () => {
    const { tasks } = await world.settle(world.frame());
    await world.settle(world.frame({ replies: [replyTo(tasks[0])] }));
    expect(await world.settle(world.frame({ replies: [replyTo(tasks[0], 'other')] }))).toMatchObject({ late: ['other'] });
    expect((await world.types()).at(-1)).toBe('LateResultRecorded');
  });

  it('holds a frame open 400 ms while there is nothing to say, and answers it at once when a newer one comes', async () => {
    await world.settle(world.frame());
    const before = world.scheduler.now;
    await world.settle(world.frame({ queues: {} }));
    expect(world.scheduler.now - before).toBeGreaterThanOrEqual(400);

    const held = world.frame({ queues: {} });
    await world.pass(5);
    const since = world.scheduler.now;
    void world.frame({ queues: {} });
    await world.settle(held);
    expect(world.scheduler.now - since).toBeLessThan(5);
  });

  it('gives again what was given and is missing two frames later, and to the same session alone', async () => {
    const { tasks } = await world.settle(world.frame());
    expect((await world.settle(world.frame({ queues: {} }))).tasks).toEqual([]); // It may still be on its way.
    expect((await world.settle(world.frame({ queues: {} }))).tasks.map(attemptOf)).toEqual([attemptOf(tasks[0])]);
  });

  it('offers no more than what is free, counting what is on its way', async () => {
    await world.start('b');
    const { tasks } = await world.settle(world.frame());
    expect(tasks).toHaveLength(1);
    expect((await world.settle(world.frame({ queues: { q: 1 } }))).tasks).toEqual([]); // The first takes that place.
    expect((await world.settle(world.frame({ queues: { q: 1 }, held: tasks.map(attemptOf) }))).tasks).toHaveLength(1);
  });

  it('takes a session that misses three beats for dead, and its attempt for lost', async () => {
    await world.settle(world.frame());
    await world.pass(1_400);
    expect(await world.types()).not.toContain('StepFailed');
    await world.pass(600);
    expect((await world.types()).at(-1)).toBe('StepFailed');
  });

  it('lapses the leases of a session that another one replaces, at once', async () => {
    await world.settle(world.frame());
    void world.frame({ session: OTHER, replaces: SESSION });
    await world.pass(5);
    expect((await world.types()).at(-1)).toBe('StepFailed');
  });

  it('lets a polled attempt lapse when its lease runs out, unless its handler beats', async () => {
    const [task] = await world.settle(world.execution.desk.poll('default', 'q', { max: 1, waitMs: 0 }));
    await world.pass(8_000);
    expect(await world.settle(world.execution.desk.heartbeat('default', attemptOf(task)))).toBe(true);
    await world.pass(8_000);
    expect(await world.types()).not.toContain('StepFailed');
    await world.pass(3_000);
    expect((await world.types()).at(-1)).toBe('StepFailed');
    expect(await world.settle(world.execution.desk.heartbeat('default', attemptOf(task)))).toBe(false);
  });

  it('wakes a poll that waits when a task comes', async () => {
    await world.settle(world.frame());
    const polled = world.execution.desk.poll('default', 'q', { max: 5, waitMs: 30_000 });
    await world.pass(10);
    await world.start('b');
    expect(await world.settle(polled)).toHaveLength(1);
  });

  it('after a restart leaves an attempt to the session that still has it', async () => {
    const { tasks } = await world.settle(world.frame());
    await world.restart();
    await world.settle(world.frame({ queues: {}, held: tasks.map(attemptOf) }));
    const done = await world.settle(world.frame({ queues: {}, replies: [replyTo(tasks[0])] }));
    expect(done.accepted).toHaveLength(1);
    expect(await world.types()).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });

  it('after a restart gives the same attempt to somebody else when nobody has it after three beats: it is rung, never failed', async () => {
    const { tasks } = await world.settle(world.frame());
    await world.restart();
    const restartedAt = world.scheduler.now;
    let given: ExchangeResponse['tasks'] = [];
    while (given.length === 0 && world.scheduler.now - restartedAt < 5_000)
      given = (await world.settle(world.frame({ session: OTHER }))).tasks;
    expect(given.map(attemptOf)).toEqual([attemptOf(tasks[0])]);
    expect(world.scheduler.now - restartedAt).toBeGreaterThan(1_500);
    expect(await world.types()).toEqual(['RunStarted', 'StepStarted']);
  });
});
