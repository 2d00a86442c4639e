// Goal: who hangs up is told apart from who is slow, so that lost work is with another handler within two seconds, and nothing is given
// to nobody. Method: as in desk.spec.ts; an abort stands for the socket that closed.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FRAME_HOLD_MS, HANG_UP_GRACE_MS } from '@cairn/contracts';
import { attemptOf, EFFECT, OTHER, replyTo, SESSION, World } from './world.js';

describe('a session whose connection is cut', () => {
  let world: World;
  let cut: AbortController;
  beforeEach(async () => {
    world = new World();
    cut = new AbortController();
    await world.begin();
  });

  it('loses what it has a moment later, long before its beats are missed', async () => {
    const task = await world.taskFor(SESSION);
    void world.frame({ queues: {}, held: [attemptOf(task)] }, cut.signal);
    await world.pass(10);
    cut.abort();
    await world.pass(HANG_UP_GRACE_MS - 20);
    expect(await world.types()).not.toContain('StepFailed');
    await world.pass(30);
    expect((await world.history()).at(-1)).toMatchObject({
      type: 'StepFailed',
      data: {
        attemptId: attemptOf(task),
        failure: { by: 'lease', code: 'handler_lost', message: 'its connection was cut', sideEffect: 'none' },
      },
    });
  });

  it('loses nothing if it comes back in time', async () => {
    const held = [attemptOf(await world.taskFor(SESSION))];
    void world.frame({ queues: {}, held }, cut.signal);
    await world.pass(10);
    cut.abort();
    await world.pass(HANG_UP_GRACE_MS - 20);
    void world.frame({ queues: {}, held });
    await world.pass(FRAME_HOLD_MS + 500);
    expect(await world.types()).not.toContain('StepFailed');
  });

  it('that dies between two frames is noticed by its connection, too', async () => {
    const task = await world.taskFor(SESSION);
    await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
    world.execution.desk.lostConnection(SESSION);
    await world.pass(HANG_UP_GRACE_MS + 30);
    expect((await world.history()).at(-1)).toMatchObject({ type: 'StepFailed', data: { failure: { message: 'its connection was cut' } } });
  });

  it('that drops its task time and again is not waited for longer than the step may take', async () => {
    const task = await world.taskFor(SESSION);
    let given = 0;
    for (let passed = 0; passed < 70_000; passed += 1_000) {
      const { tasks } = await world.settle(world.frame({ held: [] })); // It had a place for it, and says that it has nothing.
      given += tasks.length;
      await world.pass(1_000);
    }
    expect(given).toBeGreaterThan(1);
    expect((await world.history()).find(({ type }) => type === 'StepFailed')).toMatchObject({
      data: { attemptId: attemptOf(task), failure: { by: 'timeout', code: 'timeout' } },
    });
  });

  it('that counts from the beginning again is another process: what the first had is lost', async () => {
    const task = await world.taskFor(SESSION);
    for (let frame = 0; frame < 20; frame++) await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
    await world.settle(world.frame({ queues: {}, held: [attemptOf(task)], seq: 17 })); // Overtaken by others: no new life.
    expect(await world.types()).not.toContain('StepFailed');
    await world.settle(world.frame({ queues: {}, held: [], seq: 1 }));
    expect((await world.history()).findLast(({ type }) => type === 'StepFailed')).toMatchObject({
      data: { attemptId: attemptOf(task), failure: { message: 'its session began anew' } },
    });
  });

  it('has another frame open: nothing is lost', async () => {
    const held = [attemptOf(await world.taskFor(SESSION))];
    void world.frame({ queues: {}, held }, cut.signal);
    void world.frame({ queues: {}, held });
    await world.pass(10);
    cut.abort();
    await world.pass(HANG_UP_GRACE_MS + 50);
    expect(await world.types()).not.toContain('StepFailed');
  });

  it('is given nothing while it is away; what comes goes to another', async () => {
    const held = [attemptOf(await world.taskFor(OTHER))];
    void world.frame({}, cut.signal);
    await world.pass(10);
    cut.abort();
    await world.start('b');
    expect((await world.settle(world.frame({ session: OTHER, held }))).tasks).toHaveLength(1);
  });

  it('leaves what it was about to be given to the next one', async () => {
    const task = await world.taskFor(SESSION);
    await world.start('b');
    const asked = world.frame({ replies: [replyTo(task)] }, cut.signal);
    cut.abort(); // While its reply is recorded.
    expect(await world.settle(asked)).toMatchObject({ accepted: [`${attemptOf(task)}:end`], tasks: [] });
    expect(await world.taskFor(OTHER, 1_000)).toBeDefined();
    expect(await world.types('b')).not.toContain('StepFailed');
  });

  it('keeps the replies that it had sent', async () => {
    const task = await world.taskFor(SESSION);
    cut.abort();
    await world.settle(world.frame({ replies: [replyTo(task)] }, cut.signal));
    expect((await world.types()).at(-1)).toBe('RunCompleted');
  });

  it('does not beat by the frame that was cut: the missed beats count from the one before', async () => {
    const held = [attemptOf(await world.taskFor(SESSION))];
    await world.settle(world.frame({ queues: {}, held }));
    const heardAt = world.scheduler.now - FRAME_HOLD_MS; // It was held open, and nobody noticed that its sender is gone.
    while (!(await world.types()).includes('StepFailed')) await world.pass(10);
    expect(world.scheduler.now - heardAt).toBeLessThan(2_000);
  });

  it('is not judged by a timer that comes late: its next frame may lie unread', async () => {
    const held = [attemptOf(await world.taskFor(SESSION))];
    void world.frame({ queues: {}, held }, cut.signal);
    await world.pass(10);
    cut.abort();
    world.scheduler.pause('execution', world.scheduler.now + 1_000);
    await world.pass(1_010);
    void world.frame({ queues: {}, held });
    await world.pass(HANG_UP_GRACE_MS);
    expect(await world.types()).not.toContain('StepFailed');
  });
});

describe('a poll whose caller hung up', () => {
  const poll = (world: World, waitMs: number, gone?: AbortSignal) =>
    world.execution.desk.poll('default', 'q', { max: 1, waitMs, ...(gone === undefined ? {} : { gone }) });

  it('ends, and is given nothing', async () => {
    const world = new World();
    await world.begin();
    await world.settle(poll(world, 0));
    const cut = new AbortController();
    const polled = poll(world, 30_000, cut.signal);
    await world.pass(10);
    expect(await world.execution.desk.queue('default', 'q')).toEqual({ handlers: 1, waiting: 0 });
    cut.abort();
    expect(await world.settle(polled)).toEqual([]);
    await world.start('b');
    expect(await world.settle(poll(world, 0))).toHaveLength(1);
  });

  it('gives its task back at once when nothing was claimed', async () => {
    const world = new World();
    await world.begin();
    const cut = new AbortController();
    cut.abort();
    expect(await world.settle(poll(world, 0, cut.signal))).toEqual([]);
    expect(await world.settle(poll(world, 0))).toHaveLength(1);
  });

  it('does not claim for somebody who has gone', async () => {
    const world = new World(EFFECT);
    await world.begin();
    const cut = new AbortController();
    cut.abort();
    expect(await world.settle(poll(world, 0, cut.signal))).toEqual([]);
    expect(await world.types()).not.toContain('AttemptTaken');
    expect(await world.settle(poll(world, 0))).toHaveLength(1);
  });

  it('leaves what it had claimed to the lease', async () => {
    const world = new World(EFFECT);
    await world.begin();
    const cut = new AbortController();
    const polled = poll(world, 0, cut.signal);
    await Promise.resolve();
    cut.abort(); // The claim is on its way to the store.
    expect(await world.settle(polled)).toEqual([]);
    expect(await world.types()).toContain('AttemptTaken');
    expect(await world.settle(poll(world, 0))).toEqual([]);
    await world.pass(11_000);
    expect((await world.types()).slice(-2)).toEqual(['StepFailed', 'EffectUnknown']);
  });
});
