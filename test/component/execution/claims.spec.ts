// Goal: what must be claimed is never with two, whatever is lost on the way (`architecture.md` §4.2, I-17). Method: as in desk.spec.ts;
// the store's fault plan loses answers of the very append that grants.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CloudEvent, TaskData } from '@cairn/contracts';
import { attemptOf, EFFECT, OTHER, replyTo, SESSION, World } from './world.js';

describe('a task that must be claimed', () => {
  let world: World;
  beforeEach(async () => {
    world = new World(EFFECT);
    await world.begin();
  });

  const poll = (waitMs = 0): Promise<readonly CloudEvent<TaskData>[]> =>
    world.settle(world.execution.desk.poll('default', 'q', { max: 1, waitMs }));
  const takings = async (): Promise<object[]> => (await world.history()).filter(({ type }) => type === 'AttemptTaken');
  const LOST = ['StepFailed', 'EffectUnknown'];
  const tail = async (n: number): Promise<string[]> => (await world.types()).slice(-n);

  it('says so, with the key and what it means', async () => {
    const task = await world.taskFor(SESSION);
    expect(task?.data).toMatchObject({
      kind: 'effect',
      claim: true,
      purpose: 'pay',
      effect: { key: 'k', guarantee: 'none', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  it('leaves in an exchange once its grant to this session is durable', async () => {
    const task = await world.taskFor(SESSION);
    expect(await takings()).toMatchObject([
      {
        data: { attemptId: attemptOf(task), handler: 'spec/1', nonce: SESSION },
        metadata: { actor: 'handler:spec/1', causationId: `${attemptOf(task)}:claim` },
      },
    ]);
    const done = await world.settle(world.frame({ replies: [replyTo(task)] }));
    expect(done.accepted).toHaveLength(1);
    expect(await tail(4)).toEqual(['StepSucceeded', 'EffectConfirmed', 'CheckpointReached', 'RunCompleted']);
  });

  it('leaves with a poll under a nonce of its own', async () => {
    const [task] = await poll();
    expect(await takings()).toMatchObject([
      { data: { attemptId: attemptOf(task), handler: 'poll', nonce: expect.stringMatching(/^poll:./) } },
    ]);
    expect(await poll()).toEqual([]);
  });

  it('has a handler for its actor, whatever it calls itself', async () => {
    await world.settle(world.frame({ handler: 'x\nservice:execution' }));
    expect(await takings()).toMatchObject([{ data: { handler: 'unknown' }, metadata: { actor: 'handler:unknown' } }]);
  });

  it('goes again to the session that it was granted to when the answer was lost, and to no other', async () => {
    const task = await world.taskFor(SESSION);
    const other = world.taskFor(OTHER, 2_000);
    const again: string[] = [];
    for (let i = 0; i < 4; i++) again.push(...(await world.settle(world.frame({ queues: {} }))).tasks.map(attemptOf));
    expect(again[0]).toBe(attemptOf(task));
    expect(await world.settle(other)).toBeUndefined();
    expect(await takings()).toHaveLength(1);
  });

  it.each([
    ['did not land', { kind: 'fails' }, 1],
    ['landed, says a second look', { kind: 'stored_then_unknown' }, 0],
    ['landed, and nobody can look', 'and_unreadable', 1],
  ] as const)('of a claim that %s goes to the same session at last, granted once', async (_, fault, faults) => {
    world.faults.set('AttemptTaken', [fault]);
    expect(await world.taskFor(SESSION)).toBeDefined();
    expect(await takings()).toHaveLength(1);
    expect(world.metrics.value('cairn_claim_faults_total')).toBe(faults);
  });

  it.each([
    ['did not land', { kind: 'fails' }],
    ['landed, and nobody can look', 'and_unreadable'],
  ] as const)('of a claim that %s goes to the next poll, granted once', async (_, fault) => {
    world.faults.set('AttemptTaken', [fault]);
    expect(await poll()).toEqual([]); // No grant on record that we know of: it does not leave.
    expect(await poll(1_000)).toHaveLength(1);
    expect(await takings()).toHaveLength(1);
  });

  it('of a claim that may have landed is lost with its session: the next one is refused', async () => {
    world.faults.set('AttemptTaken', ['and_unreadable']);
    void world.frame();
    await world.pass(5);
    expect(await takings()).toHaveLength(1);
    expect(await world.taskFor(OTHER, 100)).toBeUndefined();
    void world.frame({ session: OTHER, replaces: SESSION });
    await world.pass(1_000);
    expect(await tail(2)).toEqual(LOST);
  });

  it('is nobody’s by saying so: a beat or a frame that names it proves no grant', async () => {
    const [started] = (await world.history()).filter(({ type }) => type === 'StepStarted');
    const attemptId = started?.data['attemptId'] as string;
    expect(await world.settle(world.execution.desk.heartbeat('default', attemptId))).toBe(true);
    await world.settle(world.frame({ session: OTHER, queues: {}, held: [attemptId] }));
    expect(attemptOf(await world.taskFor(SESSION))).toBe(attemptId);
  });

  it('lapses as unknown when its session dies, and is not offered again', async () => {
    await world.taskFor(SESSION);
    await world.pass(2_000);
    expect(await tail(2)).toEqual(LOST);
    expect(await world.taskFor(OTHER, 1_000)).toBeUndefined();
  });

  describe('after a restart of the server', () => {
    it('is offered to anybody if it was never granted', async () => {
      await world.restart();
      expect(await world.taskFor(OTHER)).toBeDefined();
    });

    it('stays with the session that has it', async () => {
      const task = await world.taskFor(SESSION);
      await world.restart();
      await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
      const done = await world.settle(world.frame({ queues: {}, replies: [replyTo(task)] }));
      expect(done.accepted).toHaveLength(1);
      expect(await tail(1)).toEqual(['RunCompleted']);
    });

    it('goes again to the session whose answer was lost, while another asks for work', async () => {
      const task = await world.taskFor(SESSION);
      await world.restart();
      const other = world.taskFor(OTHER, 4_000);
      expect(attemptOf(await world.taskFor(SESSION))).toBe(attemptOf(task));
      expect(await world.settle(other)).toBeUndefined();
      expect(await takings()).toHaveLength(1);
    });

    it('is lost when its session is gone, three beats after the first that is heard, and never offered to another', async () => {
      await world.taskFor(SESSION);
      await world.restart();
      const restartedAt = world.scheduler.now;
      let given = 0;
      while (!(await world.types()).includes('StepFailed')) given += (await world.settle(world.frame({ session: OTHER }))).tasks.length;
      expect(world.scheduler.now - restartedAt).toBeGreaterThan(1_500);
      expect(world.scheduler.now - restartedAt).toBeLessThan(2_500);
      expect(await tail(2)).toEqual(LOST);
      expect(given).toBe(0);
    });

    it('is lost when nobody is heard at all', async () => {
      await world.taskFor(SESSION);
      await world.restart();
      await world.pass(4_500); // Perhaps the doors are not open yet.
      expect(await world.types()).not.toContain('StepFailed');
      await world.pass(1_000);
      expect(await tail(2)).toEqual(LOST);
    });

    it('is lost at once when a session says that it replaces the one that had it', async () => {
      await world.taskFor(SESSION);
      await world.restart();
      void world.frame({ session: OTHER, replaces: SESSION });
      await world.pass(5);
      expect(await tail(2)).toEqual(LOST);
    });

    it('that was polled has its lease to be heard of', async () => {
      const [task] = await poll();
      await world.restart();
      await world.pass(8_000);
      expect(await world.settle(world.execution.desk.heartbeat('default', attemptOf(task)))).toBe(true);
      await world.pass(8_000);
      expect(await world.types()).not.toContain('StepFailed');
      await world.restart();
      await world.pass(11_000);
      expect(await tail(2)).toEqual(LOST);
    });
  });

  it('is not handed out by another replica that finds it granted, and its lease is left to the one that granted it', async () => {
    await world.settle(world.frame({ replies: [replyTo(await world.taskFor(SESSION))] }));
    const second = world.assemble('second');
    await world.settle(second.start());
    await world.start('b');
    const task = await world.taskFor(SESSION);
    for (let i = 0; i < 60; i++) {
      const asked = world.frame({ session: OTHER }, undefined, second);
      await world.settle(world.frame({ queues: {}, held: [attemptOf(task)] }));
      expect((await world.settle(asked)).tasks).toEqual([]);
    }
    expect((await world.types('b')).at(-1)).toBe('AttemptTaken');
  });

  it('is granted by one of two replicas that offer it at the same time', async () => {
    const second = world.assemble('second');
    await world.settle(second.start());
    await world.pass(2_000); // The second has heard its beats: it believes that nobody has the attempt.
    const frames = await Promise.all([world.settle(world.frame()), world.settle(world.frame({ session: OTHER }, undefined, second))]);
    expect(frames.flatMap(({ tasks }) => tasks)).toHaveLength(1);
    expect(await takings()).toHaveLength(1);
  });
});
