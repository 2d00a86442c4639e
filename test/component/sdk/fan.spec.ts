// Goal: a session that speaks to several replicas is offered to each once, starves none, and loses nothing to those that go. Method: the
// real fan on virtual time and a memory line, against replicas that keep the exchange's rules.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryLine } from '@cairn/bus-memory';
import { PRESENCE_PATIENCE_MS, type CloudEvent, type TaskData } from '@cairn/contracts';
import { idOf, type Id } from '@cairn/kernel';
import { Pcg32, Scheduler } from '@cairn/simulated';
import { Fan, HeardReplicas, type FanHost, type Reply } from '@cairn/sdk/exchange';
import { attemptId, ScriptedReplica, taskOf } from './scripted-replica.js';

const [RED, BLUE] = [idOf('random', 'red'), idOf('random', 'blue')];

/** A session that works for a while on each task, and says when it is given more than it has places for. */
class Worker implements FanHost {
  readonly session = idOf('random', 'session');
  readonly handler = 'spec/1';
  readonly queues = ['q'];
  readonly isOpen = true;
  isLeaving = false;
  readonly hand = new Map<Id, Id>();
  readonly taken: { readonly n: number; readonly replica: Id; readonly at: number }[] = [];
  readonly done = new Set<string>();
  readonly published: string[] = [];
  mostInHand = 0;
  workMs = (): number => 2;

  constructor(
    private readonly world: World,
    readonly places: number,
  ) {}

  free(): number {
    return this.isLeaving ? 0 : Math.max(0, this.places - this.hand.size);
  }

  held(): Iterable<Id> {
    return this.hand.keys();
  }

  given(tasks: readonly CloudEvent<TaskData>[], replica: Id): void {
    for (const { data } of tasks) {
      const id = data?.lease.attemptId ?? '';
      if (this.done.has(`${id}:end`) || this.hand.has(id)) continue;
      this.hand.set(id, replica);
      this.mostInHand = Math.max(this.mostInHand, this.hand.size);
      this.taken.push({ n: (data?.input as { n: number }).n, replica, at: this.world.scheduler.now });
      this.world.scheduler.after('worker', this.workMs(), () => {
        this.hand.delete(id);
        const text = JSON.stringify({ id: `${id}:end`, data: { lease: data?.lease, output: 1 } });
        this.world.fan.owe({ id: `${id}:end`, attemptId: id, text }, replica);
      });
    }
  }

  settled(_: string, ids: readonly string[]): void {
    for (const id of ids) this.done.add(id);
  }

  refused(reply: Reply): undefined {
    this.done.add(`refused ${reply.id}`);
  }

  forward(reply: Reply): Promise<void> {
    this.published.push(reply.id);
    return Promise.resolve();
  }
}

class World {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf('worker');
  readonly board = createMemoryLine({ clock: this.clock });
  readonly worker: Worker;
  readonly replicas: HeardReplicas;
  readonly fan: Fan;

  constructor(places: number) {
    const line = this.board.line();
    this.worker = new Worker(this, places);
    this.replicas = new HeardReplicas(line, this.clock);
    this.fan = new Fan(
      { line, clock: this.clock, fraction: () => 0.5, replicas: this.replicas, ns: 'default', alive: line.aliveAt },
      this.worker,
    );
  }

  replica(id: Id, knows?: (attempt: Id) => boolean): ScriptedReplica {
    return new ScriptedReplica(id, this.board.line(), this.scheduler.clockOf(id), knows);
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  async until(condition: () => boolean, ms = 20_000): Promise<void> {
    for (const end = this.scheduler.now + ms; !condition() && this.scheduler.now < end;) await this.pass(1);
    if (!condition()) throw new Error(`not within ${ms} ms`);
  }
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('a session of several replicas', () => {
  let world: World;
  let red: ScriptedReplica;
  let blue: ScriptedReplica;
  const begin = async (places: number): Promise<void> => {
    world = new World(places);
    [red, blue] = [world.replica(RED), world.replica(BLUE)];
    await world.pass(1);
  };
  beforeEach(() => begin(8));

  it('is offered to each, never more than it has places in all', async () => {
    const offered = (): number[] => [red, blue].map(({ frames }) => frames.at(-1)?.queues['q'] ?? 0);
    await world.pass(50);
    expect(offered()).toEqual([4, 4]);
    red.add(...numbers(500).map((n) => taskOf(n)));
    blue.add(...numbers(500, 500).map((n) => taskOf(n)));
    await world.until(() => world.worker.done.size === 1_000);
    expect(world.worker.mostInHand).toBe(8);
    for (const replica of [RED, BLUE]) expect(world.worker.taken.filter((one) => one.replica === replica)).toHaveLength(500);
    for (const one of [red, blue]) expect(one.gaveAgain).toBe(0);
  });

  it('keeps its places also when work comes and goes by chance', async () => {
    const chance = new Pcg32(11n, 3n);
    world.worker.workMs = () => chance.uint32() % 30;
    for (let n = 0; n < 2_000; n++) {
      (chance.uint32() % 4 === 0 ? red : blue).add(taskOf(n));
      if (n % 7 === 0) await world.pass(chance.uint32() % 10);
    }
    await world.until(() => world.worker.done.size === 2_000);
    expect(world.worker.mostInHand).toBeLessThanOrEqual(8);
    expect(new Set(world.worker.taken.map(({ n }) => n)).size).toBe(2_000);
  });

  it('gives the places that one replica does not use to the other', async () => {
    await world.pass(300);
    world.worker.workMs = () => 50;
    red.add(...numbers(400).map((n) => taskOf(n)));
    const since = world.scheduler.now;
    await world.until(() => world.worker.done.size === 400);
    // All 8 places: 400 / 8 * 50 ms = 2.5 s. With half of them it would be 5.
    expect(world.scheduler.now - since).toBeLessThan(3_000);
  });

  it('with a single place serves both in turn, and neither starves', async () => {
    await begin(1);
    red.add(...numbers(300).map((n) => taskOf(n)));
    blue.add(...numbers(300, 300).map((n) => taskOf(n)));
    await world.until(() => world.worker.done.size === 600);
    expect(world.worker.mostInHand).toBe(1);
    const half = world.worker.taken.slice(0, 300);
    for (const replica of [RED, BLUE]) expect(half.filter((one) => one.replica === replica).length).toBeGreaterThan(100);
  });

  it('with a single place has the next task of either soon, and does not ask for it without end', async () => {
    await begin(1);
    await world.pass(2_000);
    const [frames, since] = [red.frames.length + blue.frames.length, world.scheduler.now];
    for (let n = 0; n < 20; n++) {
      (n % 3 === 0 ? red : blue).add(taskOf(n));
      await world.until(() => world.worker.done.size > n, 150);
      await world.pass(500);
    }
    const perSecond = ((red.frames.length + blue.frames.length - frames) / (world.scheduler.now - since)) * 1_000;
    expect(perSecond).toBeLessThan(60);
  });

  it('brings a reply to another when whoever gave the task dies, and says there what it holds', async () => {
    world.worker.workMs = () => 300;
    red.add(taskOf(1));
    await world.until(() => world.worker.hand.size === 1);
    await red.die();
    await world.until(() => world.worker.done.size === 1, 1_000);
    expect(blue.forwarded.map(({ id }) => id)).toEqual([`${attemptId(1)}:end`]);
    expect(blue.frames.some(({ held }) => held.includes(attemptId(1)))).toBe(true);
    expect(world.replicas.ids).toEqual([BLUE]);
  });

  it('takes back the places of a replica that is mute, within the patience for it', async () => {
    await world.pass(50);
    red.isMute = true;
    await world.pass(PRESENCE_PATIENCE_MS + 300);
    expect(world.replicas.ids).toEqual([BLUE]);
    expect(blue.frames.at(-1)?.queues['q']).toBe(8);
    red.isMute = false;
    const seq = red.frames.at(-1)?.seq ?? 0;
    await world.pass(300);
    expect(red.frames.at(-1)?.seq).toBeGreaterThan(seq); // Not from one again: the session's life is the same.
    red.add(taskOf(1));
    await world.until(() => world.worker.done.size === 1);
  });

  it('brings a reply that nobody settles to the durable subject, and answers with it if the task comes again all the same', async () => {
    red.isForgetful = true;
    red.add(taskOf(1));
    await world.until(() => world.worker.done.has(`${attemptId(1)}:end`), 1_500);
    expect(world.worker.published).toEqual([`${attemptId(1)}:end`]);
    red.isForgetful = false;
    const before = red.replies.length;
    red.add(taskOf(1)); // The bus had lost it.
    await world.until(() => red.replies.length > before);
    expect(world.worker.taken).toHaveLength(1);
  });

  it('leaves a replica nothing to give before it ends', async () => {
    await world.pass(10);
    expect(world.fan.isQuiet).toBe(false);
    world.worker.isLeaving = true;
    world.fan.wake();
    await world.until(() => world.fan.isQuiet, 20);
    red.add(taskOf(1));
    await world.pass(1_000);
    expect(world.worker.taken).toEqual([]);
  });

  it('isolates a reply that is refused', async () => {
    red.refuses = ({ id }) => id === `${attemptId(2)}:end`;
    red.add(...numbers(4).map((n) => taskOf(n)));
    await world.until(() => world.worker.done.size === 4);
    expect([...world.worker.done].filter((id) => id.startsWith('refused'))).toEqual([`refused ${attemptId(2)}:end`]);
  });
});
