// Goal: handlers by HTTP work on the stack as they do where all is one process. Method: the gateway's desk over the line in front of real
// replicas of execution, on one memory store, bus and switchboard in virtual time; the spec is the handlers.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CloudEvent, ExchangeRequest, ExchangeResponse, ReplyData, TaskData } from '@cairn/contracts';
import { createRemoteDesk, type RemoteDesk } from '@cairn/gateway';
import { sha256HexOfBytes, type Id } from '@cairn/kernel';
import { Pcg32, seededRandomness } from '@cairn/simulated';
import { Replicas, type Replica } from '../execution/replicas.js';
import { attemptOf, EFFECT, OTHER, replyTo, SESSION, TASK } from '../execution/world.js';

const keys = (n: number): string[] => Array.from({ length: n }, (_, i) => `r${i}`);
const DONE = ['RunStarted', 'StepStarted', 'StepSucceeded', 'RunCompleted'];

/** A handler by HTTP: two frames under way at most, as `capabilities.md` §4 has it. */
class HttpWorker {
  readonly held = new Map<Id, CloudEvent<TaskData>>();
  readonly given: CloudEvent<TaskData>[] = [];
  readonly answers: ExchangeResponse[] = [];
  faults = 0;
  private readonly owed = new Map<string, CloudEvent<ReplyData>>();
  private readonly cut = new AbortController();
  private seq = 0;

  constructor(
    private readonly world: Replicas,
    private readonly desk: RemoteDesk,
    readonly id: Id,
    private readonly work: number,
    private readonly places = 8,
    private readonly outputOf?: (task: CloudEvent<TaskData>) => Promise<object>,
  ) {
    void this.go();
  }

  /** `kill -9`: its connection is cut. */
  die(): void {
    this.cut.abort();
  }

  private async go(): Promise<void> {
    while (!this.cut.signal.aborted) {
      const replies = [...this.owed.values()];
      const frame: ExchangeRequest = {
        session: this.id,
        seq: ++this.seq,
        handler: 'spec/1',
        queues: { q: Math.max(0, this.places - this.held.size) },
        held: [...this.held.keys()],
        replies,
      };
      try {
        this.take(await this.desk.exchange('default', frame, this.cut.signal));
      } catch {
        this.faults += 1;
        await new Promise<void>((resolve) => this.world.clock.after(50, resolve));
      }
    }
  }

  private take(answer: ExchangeResponse): void {
    this.answers.push(answer);
    const refused = (answer.refused ?? []).map(({ id }) => id);
    for (const id of [...answer.accepted, ...answer.late, ...answer.forwarded, ...refused]) {
      this.held.delete(this.owed.get(id)?.data?.lease.attemptId ?? '');
      this.owed.delete(id);
    }
    for (const task of answer.tasks) {
      this.given.push(task);
      if (this.held.has(attemptOf(task))) continue;
      this.held.set(attemptOf(task), task);
      this.world.clock.after(this.work, () => void this.reply(task));
    }
  }

  private async reply(task: CloudEvent<TaskData>): Promise<void> {
    const reply = { ...replyTo(task), cairnrun: task.cairnrun ?? '' };
    const output = await this.outputOf?.(task);
    this.owed.set(reply.id, output === undefined ? reply : { ...reply, data: { ...(reply.data as ReplyData), output: output as never } });
  }
}

describe('handlers by HTTP before two replicas', () => {
  let world: Replicas;
  let one: Replica;
  let two: Replica;
  let desk: RemoteDesk;
  const begin = async (steps: readonly object[]): Promise<void> => {
    world = new Replicas();
    await world.begin(steps);
    [one, two] = [await world.add(), await world.add()];
    const { bus } = world;
    const randomness = seededRandomness(new Pcg32(9n, 1n));
    desk = createRemoteDesk({ line: world.board.line(), bus, clock: world.scheduler.clockOf('gateway'), randomness });
    await world.pass(1_000);
  };
  beforeEach(() => begin(TASK));

  const allEnded = async (n: number): Promise<boolean> =>
    (await Promise.all(keys(n).map((key) => world.types(key)))).every((types) => types.includes('RunCompleted'));

  it('bring every run to its end, wherever it is served', async () => {
    const worker = new HttpWorker(world, desk, SESSION, 5);
    for (const key of keys(60)) await world.start(key);
    await world.until(() => allEnded(60));
    for (const key of keys(60)) expect(await world.types(key)).toEqual(DONE);
    expect(new Set(worker.given.map(({ id }) => id)).size).toBe(60);
  });

  it('lose nothing with a replica that dies, and their runs go on within two seconds', async () => {
    new HttpWorker(world, desk, SESSION, 50, 100);
    for (const key of keys(40)) await world.start(key);
    await world.pass(20);
    world.kill(one);
    expect(await world.until(() => allEnded(40))).toBeLessThan(2_000);
    for (const key of keys(40)) expect(await world.types(key)).toEqual(DONE);
  });

  it('are missed within two seconds when they die, and their tasks go to another', async () => {
    const lost = new HttpWorker(world, desk, SESSION, 60_000, 100);
    for (const key of keys(10)) await world.start(key);
    await world.until(() => lost.held.size === 10);
    lost.die();
    const lapsed = async (): Promise<boolean> =>
      (await Promise.all(keys(10).map((key) => world.types(key)))).every((types) => types.includes('StepFailed'));
    expect(await world.until(lapsed, 5_000)).toBeLessThan(1_000);
  });

  it('are told to come again while no replica is there, and go on with the next one', async () => {
    const worker = new HttpWorker(world, desk, SESSION, 100, 100);
    for (const key of keys(10)) await world.start(key);
    await world.until(() => worker.held.size === 10);
    world.kill(one);
    world.kill(two);
    await world.until(() => worker.faults > 0);
    await world.add();
    await world.until(() => allEnded(10));
    for (const key of keys(10)) expect((await world.types(key)).at(-1)).toBe('RunCompleted');
  });

  it('poll and reply one by one', async () => {
    for (const key of keys(6)) await world.start(key);
    for (let i = 0; i < 6; i++) {
      // The first ones were offered as messages, since nobody was there: whoever polls gets them when nobody took them for two seconds.
      const [task] = await world.settle(desk.poll('default', 'q', { max: 1, waitMs: 5_000 }));
      expect(task).toBeDefined();
      expect(await world.settle(desk.holder(attemptOf(task)))).toBe('poll');
      expect(await world.settle(desk.heartbeat('default', attemptOf(task)))).toBe(true);
      expect(await world.settle(desk.reply('default', attemptOf(task), replyTo(task)))).toBe('accepted');
      expect(await world.settle(desk.heartbeat('default', attemptOf(task)))).toBe(false);
    }
    expect(await allEnded(6)).toBe(true);
    expect(await world.settle(desk.poll('default', 'q', { max: 1, waitMs: 100 }))).toEqual([]);
  });

  it('and what why asks: who serves a queue, what waits there', async () => {
    for (const key of keys(12)) await world.start(key);
    expect(await world.settle(desk.queue('default', 'q'))).toEqual({ handlers: 0, waiting: 12 });
    const worker = new HttpWorker(world, desk, SESSION, 60_000, 5);
    await world.until(() => worker.held.size === 5);
    await world.pass(500);
    expect(await world.settle(desk.queue('default', 'q'))).toEqual({ handlers: 1, waiting: 7 });
    expect(await world.settle(desk.holder(attemptOf(worker.given[0])))).toBe('spec/1');
  });

  it('name a large output by its artifact, and the step after it reads it', async () => {
    await begin([
      { id: 'work', task: { queue: 'q' }, lease: '10s', timeout: '1m' },
      { id: 'next', after: ['work'], task: { queue: 'q' }, input: { kept: '${steps.work.output.kept}' }, lease: '10s', timeout: '1m' },
    ]);
    const large = { kept: 'small part', text: 'x'.repeat(100_000) };
    const bytes = Buffer.from(JSON.stringify(large));
    await world.artifacts.put(bytes);
    const named = { artifact: `sha256:${sha256HexOfBytes(bytes)}`, bytes: bytes.length, mediaType: 'application/json' };
    const outputs: Record<string, object> = { work: named, next: {} };
    const worker = new HttpWorker(world, desk, SESSION, 5, 8, (task) => Promise.resolve(outputs[task.data?.step ?? ''] ?? {}));
    await world.start('r0');
    await world.until(() => allEnded(1));
    expect(worker.given.map(({ data }) => data?.input)).toEqual([{}, { kept: 'small part' }]);
  });

  it('are refused a reply that names an artifact which is not there, for good', async () => {
    const missing = { artifact: `sha256:${'0'.repeat(64)}`, bytes: 70_000, mediaType: 'application/json' };
    const worker = new HttpWorker(world, desk, SESSION, 5, 8, () => Promise.resolve(missing));
    await world.start('r0');
    await world.until(() => worker.answers.some(({ refused }) => refused !== undefined));
    expect(worker.answers.find(({ refused }) => refused !== undefined)?.refused?.[0]?.errors[0]?.rule).toBe('artifact_not_found');
    expect(await world.types('r0')).not.toContain('StepSucceeded');
  });

  it('act once on what must be claimed, also when its replica dies', async () => {
    await begin(EFFECT);
    const workers = [SESSION, OTHER].map((id) => new HttpWorker(world, desk, id, 600, 10));
    for (const key of keys(16)) await world.start(key);
    await world.until(() => workers.reduce((sum, { held }) => sum + held.size, 0) === 16);
    world.kill(two);
    await world.until(() => allEnded(16));
    for (const key of keys(16))
      expect((await world.types(key)).filter((type) => type === 'AttemptTaken' || type === 'StepFailed')).toEqual(['AttemptTaken']);
  });
});
