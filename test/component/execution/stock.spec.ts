// Goal: handlers that know nothing but messages work by the card of `capabilities.md` §4, beside sessions on the same queue. Method: one real
// execution replica on memory store, bus and line in virtual time; the spec takes tasks from the bus as any client would.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { subjects, workQueue, type CloudEvent, type TaskData } from '@cairn/contracts';
import { idOf, PARTITIONS, partitionOf, type Id } from '@cairn/kernel';
import type { IncomingMessage } from '@cairn/ports';
import { Replicas, SpecSession, type Replica } from './replicas.js';
import { attemptOf, EFFECT, OTHER, replyTo, runOf, SESSION, TASK } from './world.js';

type TaskEvent = CloudEvent<TaskData>;
const LOST = ['RunStarted', 'StepStarted', 'StepFailed'];
const REPLIES = subjects.reply('default', partitionOf(runOf('a')));
const ELSEWHERE = subjects.reply('default', (partitionOf(runOf('a')) + 1) % PARTITIONS);

const lifeOf = (type: 'started' | 'heartbeat', task: TaskEvent, more: object = {}): object => ({
  specversion: '1.0',
  id: `${attemptOf(task)}:${type}`,
  source: '/stock/1',
  type: `cairn.reply.${type}.v1`,
  cairnrun: task.cairnrun,
  data: { lease: task.data?.lease, ...more },
});

class Stock extends Replicas {
  readonly messages: IncomingMessage[] = [];
  replica!: Replica;

  async open(steps: readonly object[] = TASK): Promise<void> {
    await this.begin(steps);
    this.replica = await this.add();
    await this.pass(2_000); // It serves, and has long been there.
    await this.take();
  }

  /** Binds to the queue, as `cairn def apply` made its consumer. */
  async take(): Promise<void> {
    await this.bus.consume(workQueue('default', 'q'), async (message) => {
      this.messages.push(message);
      return { kind: 'done' };
    });
  }

  async task(n = 0): Promise<TaskEvent> {
    await this.until(() => this.messages.length > n, 60_000);
    return this.messages[n]?.body as unknown as TaskEvent;
  }

  says(type: 'started' | 'heartbeat', task: TaskEvent, more: object = {}) {
    return this.send(task.data!.replyTo, lifeOf(type, task, more), this.replica);
  }

  reply(task: TaskEvent, more: object = {}, subject = REPLIES) {
    return this.send(subject, { ...replyTo(task), cairnrun: task.cairnrun, ...more }, this.replica);
  }

  claim(task: TaskEvent, more: object = {}) {
    return this.ask(subjects.claim('default', partitionOf(task.cairnrun as Id)), { lease: task.data?.lease, ...more });
  }
}

describe('a task that no session and no poll is there for', () => {
  let world: Stock;
  beforeEach(async () => {
    world = new Stock();
    await world.open();
    await world.start('a');
  });

  it('is a message of its queue at once', async () => {
    const from = world.scheduler.now;
    const task = await world.task();
    expect(world.scheduler.now - from).toBeLessThan(20);
    expect(world.messages.map(({ id }) => id)).toEqual([`${attemptOf(task)}:0`]);
    expect(task).toMatchObject({ id: attemptOf(task), type: 'cairn.task.v1', data: { step: 'work', replyTo: REPLIES } });
  });

  it('is rung again with each lease time while nobody is heard to have it, and never fails', async () => {
    await world.pass(35_000);
    const attemptId = attemptOf(await world.task());
    expect(world.messages.map(({ id }) => id)).toEqual([0, 1, 2, 3].map((ring) => `${attemptId}:${ring}`));
    expect(await world.types('a')).toEqual(['RunStarted', 'StepStarted']);
  });

  it('is there again ten seconds after the bus has lost all that it held, whatever its lease (F-26)', async () => {
    const patient = new Stock();
    await patient.open([{ ...TASK[0], lease: '1h', timeout: '2h' }]);
    await patient.start('a');
    await patient.task();
    await patient.pass(30_000);
    expect(patient.messages).toHaveLength(1); // Repeated, and swallowed by the bus.
    patient.bus.wipe();
    await patient.pass(10_500);
    expect(patient.messages.map(({ id }) => id)).toEqual([patient.messages[0]?.id, patient.messages[0]?.id]);
  });

  it('has its lease from `started`: beats keep it, silence loses it', async () => {
    await world.pass(7_000);
    const task = await world.task();
    expect(await world.says('started', task)).toEqual({ kind: 'done' });
    expect(await world.replica.execution.desk.holder(attemptOf(task))).toBe('stock/1');
    await world.pass(9_000);
    expect(await world.says('heartbeat', task, { progress: '3 of 9', usage: { usd: 0.1 } })).toEqual({ kind: 'done' });
    await world.pass(9_000);
    expect(world.messages).toHaveLength(1);
    expect(await world.types('a')).not.toContain('StepFailed');
    await world.pass(1_500);
    expect(await world.types('a')).toEqual(LOST);
  });

  it('is done with its reply, and a second one changes nothing (F-8)', async () => {
    const task = await world.task();
    expect(await world.reply(task)).toEqual({ kind: 'done', answer: { outcome: 'accepted' } });
    const done = await world.types('a');
    expect(done.at(-1)).toBe('RunCompleted');
    expect(await world.reply(task)).toEqual({ kind: 'done', answer: { outcome: 'accepted' } });
    expect(await world.types('a')).toEqual(done);
    expect(await world.reply(task, { id: 'other' })).toEqual({ kind: 'done', answer: { outcome: 'late' } });
  });

  it('whose reply comes after its lease is over is recorded as late, once, and not applied; so is a reply with the lease of an attempt that nobody had (B-29)', async () => {
    const task = await world.task();
    await world.says('started', task);
    await world.pass(11_000);
    expect(await world.types('a')).toEqual(LOST);
    for (let i = 0; i < 2; i++) expect(await world.reply(task)).toEqual({ kind: 'done', answer: { outcome: 'late' } });
    expect(await world.types('a')).toEqual([...LOST, 'LateResultRecorded']);
    const never = { ...task, data: { ...task.data!, lease: { ...task.data!.lease, attemptId: idOf('random', 'never') } } };
    expect(await world.reply(never, { id: `${idOf('random', 'never')}:end` })).toMatchObject({ answer: { outcome: 'late' } });
    expect((await world.types('a')).filter((type) => type !== 'LateResultRecorded')).toEqual(LOST);
  });

  it('may be replied to without naming the run while it is open', async () => {
    expect(await world.reply(await world.task(), { cairnrun: undefined })).toMatchObject({ kind: 'done', answer: { outcome: 'accepted' } });
  });

  it.each<[string, object, string]>([
    ['without a lease', { data: { output: 1 } }, '/data/lease'],
    ['of no known kind', { type: 'cairn.reply.done.v1' }, '/type'],
    ['whose id is of another attempt', { id: `${idOf('random', 'x')}:end` }, '/id attempt_mismatch'],
    ['to another namespace than it came in by', { cairnns: 'acme' }, '/cairnns namespace_mismatch'],
    ['to a run that is no id', { cairnrun: 'x' }, '/cairnrun invalid_id'],
    ['that is nested too deep', { data: JSON.parse('['.repeat(10_000) + ']'.repeat(10_000)) as object }, 'invalid_json'],
  ])('%s is a dead letter that says why (B-9 to B-13)', async (_, wrong, reason) => {
    const task = await world.task();
    expect(await world.reply(task, wrong)).toMatchObject({ kind: 'never', reason: expect.stringContaining(reason) });
    expect(await world.types('a')).toEqual(['RunStarted', 'StepStarted']);
  });

  it.each<[string, object, string]>([
    ['with a field too many', { output: 1, result: 2 }, '/data/result unknown_field'],
    ['that holds half a surrogate', { output: '\ud800' }, 'invalid_json'],
    ['with an output that belongs into an artifact', { output: 'x'.repeat(70_000) }, '/data/output too_large'],
  ])('whose own reply %s has failed by it, so that nobody does the same again without an end (C-BOUND)', async (_, data, reason) => {
    const task = await world.task();
    const reply = { data: { ...data, lease: task.data?.lease } };
    expect(await world.reply(task, reply)).toMatchObject({ kind: 'never', reason: expect.stringContaining(reason) });
    expect((await world.types('a')).slice(0, 3)).toEqual(['RunStarted', 'StepStarted', 'StepFailed']);
  });

  it('that is replied to on another partition, or after its end without its run, is a dead letter, too', async () => {
    const task = await world.task();
    expect(await world.reply(task, {}, ELSEWHERE)).toMatchObject({ kind: 'never', reason: expect.stringContaining('partition_mismatch') });
    const unknown = { ...task, data: { ...task.data!, lease: { ...task.data!.lease, attemptId: idOf('random', 'gone') } } };
    expect(await world.reply(unknown, { cairnrun: undefined })).toMatchObject({
      kind: 'never',
      reason: expect.stringContaining('/cairnrun'),
    });
  });

  it('of another namespace is late, and nothing of it is recorded', async () => {
    const task = await world.task();
    const foreign = subjects.reply('acme', partitionOf(runOf('a')));
    expect(await world.reply(task, {}, foreign)).toMatchObject({ answer: { outcome: 'late' } });
    expect(await world.types('a')).toEqual(['RunStarted', 'StepStarted']);
  });

  it('is given to a session that comes later, after two seconds without a word of it', async () => {
    const task = await world.task();
    const session = new SpecSession(world, SESSION, { work: 5 });
    session.speakTo(world.replica);
    await world.pass(1_500);
    expect(session.given).toEqual([]);
    await world.pass(1_000);
    expect(session.given.map(attemptOf)).toEqual([attemptOf(task)]);
    await world.until(async () => (await world.types('a')).includes('RunCompleted'), 1_000);
  });

  it('that somebody has taken is given to no session', async () => {
    const task = await world.task();
    await world.says('started', task);
    const session = new SpecSession(world, SESSION, { work: 5 });
    session.speakTo(world.replica);
    await world.pass(8_000);
    expect(session.given).toEqual([]);
    expect(await world.reply(task)).toMatchObject({ answer: { outcome: 'accepted' } });
  });

  it('is not rung while its run is paused, and is again when it goes on', async () => {
    await world.task();
    await world.command('PauseRun', 'a', { by: 'operator' });
    await world.pass(25_000);
    expect(world.messages).toHaveLength(1);
    await world.command('UnpauseRun', 'a', { by: 'operator' });
    await world.pass(100);
    expect(world.messages).toHaveLength(2);
  });
});

describe('a queue', () => {
  it('with a live session sends no messages; when that is gone it does', async () => {
    const world = new Stock();
    await world.open();
    const session = new SpecSession(world, SESSION, { free: 1 });
    session.speakTo(world.replica);
    await world.pass(500);
    for (const key of ['a', 'b']) await world.start(key);
    await world.pass(3_000);
    expect(session.given).toHaveLength(1);
    expect(world.messages).toEqual([]);
    session.die();
    const waiting = ['a', 'b'].find((key) => runOf(key) !== session.given[0]?.cairnrun);
    expect((await world.task()).cairnrun).toBe(runOf(waiting as string));
  });

  it('whose bus is away is rung when that is back', async () => {
    const world = new Stock();
    await world.open();
    await world.start('a');
    await world.task();
    world.bus.setOutage(true);
    await world.pass(25_000);
    world.bus.setOutage(false);
    await world.pass(600);
    expect(world.messages).toHaveLength(2);
    expect(world.metrics.value('cairn_task_ring_faults_total')).toBeGreaterThan(0);
  });

  it('is worked on by both kinds at once: each run ends once, whoever did it', async () => {
    const world = new Stock();
    await world.open();
    const both = (n: number): void => void world.clock.after(n, () => world.messages.splice(0).forEach((message) => void answer(message)));
    const answer = async ({ body }: IncomingMessage): Promise<void> => {
      const task = body as unknown as TaskEvent;
      await world.bus.publish({
        subject: task.data!.replyTo,
        id: `${attemptOf(task)}:end`,
        body: { ...replyTo(task), cairnrun: task.cairnrun } as never,
      });
    };
    const keys = Array.from({ length: 60 }, (_, i) => `r${i}`);
    for (const [i, key] of keys.entries()) {
      await world.start(key);
      both(1);
      if (i % 20 === 10) new SpecSession(world, idOf('random', 'both', i), { work: 30, free: 2 }).speakTo(world.replica);
      await world.pass(10);
    }
    await world.until(async () => {
      both(1);
      return (await Promise.all(keys.map((key) => world.types(key)))).every((types) => types.includes('RunCompleted'));
    });
    for (const key of keys) expect(await world.types(key)).toEqual(['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted']);
  });
});

describe('ten thousand attempts that nobody ends', () => {
  it('hold nothing open on the bus, and starve no start (F-57)', async () => {
    const world = new Stock();
    await world.open([{ ...TASK[0], lease: '1h', timeout: '2h' }]);
    const keys = Array.from({ length: 10_000 }, (_, i) => `r${i}`);
    for (let i = 0; i < keys.length; i += 500) {
      await Promise.all(keys.slice(i, i + 500).map((key) => world.startSoon(key)));
      await world.pass(20);
    }
    await world.until(() => world.messages.length === keys.length, 60_000);
    for (const { body, id } of world.messages) {
      const task = body as unknown as TaskEvent;
      await world.bus.publish({ subject: task.data!.replyTo, id: `${id}:started`, body: lifeOf('started', task) as never });
    }
    await world.pass(60_000);
    expect(world.messages).toHaveLength(keys.length);
    expect(await world.replica.execution.desk.queue('default', 'q')).toMatchObject({ waiting: 0 });
    const from = world.scheduler.now;
    await world.start('a');
    expect(attemptOf(await world.task(keys.length))).not.toBe('');
    expect(world.scheduler.now - from).toBeLessThan(50);
  });
});

describe('a task that must be claimed, as a message', () => {
  let world: Stock;
  let task: TaskEvent;
  beforeEach(async () => {
    world = new Stock();
    await world.open(EFFECT);
    await world.start('a');
    task = await world.task();
  });
  const taken = async (): Promise<object[]> => (await world.history('a')).filter(({ type }) => type === 'AttemptTaken');

  it('is granted once for ever without a nonce', async () => {
    expect(await world.claim(task, { handler: '/stock/1' })).toEqual({ granted: true });
    expect(await world.claim(task)).toEqual({ granted: false, because: 'taken' });
    expect(await taken()).toMatchObject([{ data: { handler: 'stock/1', nonce: expect.stringMatching(/^claim:./) } }]);
    expect(await world.reply(task)).toMatchObject({ answer: { outcome: 'accepted' } });
    expect(await world.claim(task)).toEqual({ granted: false, because: 'over' });
  });

  it('is granted again to the same nonce, whose answer may have been lost, and to no other', async () => {
    for (let i = 0; i < 2; i++) expect(await world.claim(task, { nonce: 'mine' })).toEqual({ granted: true });
    expect(await world.claim(task, { nonce: 'yours' })).toEqual({ granted: false, because: 'taken' });
    expect(await taken()).toHaveLength(1);
  });

  it('may be claimed later while its run is paused', async () => {
    await world.command('PauseRun', 'a', { by: 'operator' });
    expect(await world.claim(task)).toEqual({ granted: false, because: 'paused' });
    await world.command('UnpauseRun', 'a', { by: 'operator' });
    expect(await world.claim(task)).toEqual({ granted: true });
  });

  it('is nobody’s by saying `started` without a grant', async () => {
    await world.says('started', task);
    expect(await world.claim(task)).toEqual({ granted: true });
  });

  it('of a handler that falls silent is unknown, and never rung again (F-7)', async () => {
    await world.claim(task);
    await world.pass(10_500);
    expect((await world.types('a')).slice(-2)).toEqual(['StepFailed', 'EffectUnknown']);
    await world.pass(20_000);
    expect(world.messages).toHaveLength(1);
  });

  it('that is claimed while a session asks for it is with one of them', async () => {
    const session = new SpecSession(world, OTHER, { work: 5 });
    await world.pass(2_100);
    session.speakTo(world.replica);
    const answers = await Promise.all([1, 2, 3].map((n) => world.pass(n * 100).then(() => world.claim(task, { nonce: `n${n}` }))));
    await world.pass(2_000);
    const granted = answers.filter((answer) => (answer as { granted: boolean }).granted).length;
    expect(granted + session.given.length).toBe(1);
    expect(await taken()).toHaveLength(1);
  });

  it('is claimed by a message of the right kind alone', async () => {
    expect(await world.ask(subjects.claim('default', partitionOf(runOf('a'))), { attempt: 'x' })).toMatchObject({
      problem: { code: 'invalid_body', errors: expect.arrayContaining([expect.objectContaining({ pointer: '/lease' })]) },
    });
  });

  it('stays with whoever claimed it over a take-over, for its lease', async () => {
    await world.claim(task);
    const second = await world.add();
    await world.pass(500);
    world.kill(world.replica);
    await world.pass(5_000);
    expect((await world.types('a')).at(-1)).toBe('AttemptTaken');
    world.replica = second;
    expect(await world.reply(task)).toMatchObject({ answer: { outcome: 'accepted' } });
    expect((await world.types('a')).at(-1)).toBe('RunCompleted');
  });
});
