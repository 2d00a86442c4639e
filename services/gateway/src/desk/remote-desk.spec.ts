// Goal: whoever comes by HTTP has one desk although execution is several processes. Method: the real desk on virtual time and a memory
// line; replicas are played by the spec, which answers each question as it likes.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryBus, createMemoryLine, type MemoryLine } from '@cairn/bus-memory';
import {
  busStreams,
  executionRun,
  FRAME_HOLD_MS,
  lineSubjects,
  PRESENCE_BEAT_MS,
  subjects,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
} from '@cairn/contracts';
import { idOf, type Id } from '@cairn/kernel';
import type { LineMessage } from '@cairn/ports';
import { Pcg32, Scheduler, seededRandomness } from '@cairn/simulated';
import { createRemoteDesk, type RemoteDesk } from './remote-desk.js';

const SESSION = idOf('random', 'session');
const [RED, BLUE] = [idOf('random', 'red'), idOf('random', 'blue')];
const attempt = (n: number): Id => idOf('attempt', 'spec', n);
const RUN = idOf('run', 'spec', 'a');

function task(n: number): CloudEvent<TaskData> {
  const lease = { attemptId: attempt(n), branch: 'main', epoch: 1 };
  const data = { kind: 'task', queue: 'q', step: 's', attempt: 1, lease, leaseMs: 60_000, timeoutMs: 60_000, replyTo: '' };
  return {
    specversion: '1.0',
    id: `${attempt(n)}:0`,
    source: '/spec',
    type: 'cairn.task.v1',
    cairnrun: RUN,
    data: data as unknown as TaskData,
  };
}

const reply = (n: number): CloudEvent<ReplyData> => ({
  specversion: '1.0',
  id: `${attempt(n)}:end`,
  source: '/spec',
  type: 'cairn.reply.succeeded.v1',
  cairnrun: RUN,
  data: { lease: { attemptId: attempt(n), branch: 'main', epoch: 1 }, output: n },
});

/** What a replica was sent, and the answer to it. */
interface Asked<T> {
  readonly body: T;
  readonly answer: (body: object) => void;
}

/** A replica of execution in words only: it beats, and the spec answers for it. */
class Played {
  readonly line: MemoryLine;
  readonly frames: Asked<ExchangeRequest>[] = [];
  readonly told: unknown[] = [];
  private readonly done = new Set<Asked<ExchangeRequest>>();
  /** Answers to questions at its desk. */
  answers: Record<string, (asks: never) => object | undefined> = {};

  constructor(
    readonly id: Id,
    private readonly world: World,
  ) {
    this.line = world.board.line();
    this.line.listen(lineSubjects.exchange(id), (message) => {
      if (this.isOpen) this.say({}); // The newer frame takes what comes next.
      this.frames.push({ body: parse(message) as ExchangeRequest, answer: (body) => message.answer(bytes(body)) });
    });
    this.line.listen(lineSubjects.desk(id), (message) => {
      const question = message.subject.split('.').at(-1) ?? '';
      if (!message.asked) return void this.told.push(parse(message));
      const answer = this.answers[question]?.(parse(message) as never);
      if (answer !== undefined) message.answer(bytes(answer));
    });
    this.beat();
  }

  private get isOpen(): boolean {
    return this.frames.some((one) => !this.done.has(one));
  }

  get last(): ExchangeRequest | undefined {
    return this.frames.at(-1)?.body;
  }

  /** Answers the oldest frame that is open. */
  say(body: Partial<ExchangeResponse>): void {
    const asked = this.frames.find((one) => !this.done.has(one));
    if (asked === undefined) throw new Error('no frame is open');
    this.done.add(asked);
    asked.answer({ seq: asked.body.seq, accepted: [], late: [], forwarded: [], tasks: [], ...body });
  }

  leave(): void {
    this.line.tell(subjects.presence(this.id), bytes({ replica: this.id, leaving: true }));
  }

  private beat(): void {
    this.line.tell(subjects.presence(this.id), bytes({ replica: this.id }));
    this.world.scheduler.after('world', PRESENCE_BEAT_MS, () => this.beat());
  }
}

const bytes = (body: object): Buffer => Buffer.from(JSON.stringify(body));
const parse = ({ data }: LineMessage): unknown => JSON.parse(Buffer.from(data).toString('utf8'));

class World {
  readonly scheduler = new Scheduler();
  readonly board = createMemoryLine({ clock: this.scheduler.clockOf('world') });
  readonly bus = createMemoryBus({ clock: this.scheduler.clockOf('world'), streams: busStreams });
  readonly desk: RemoteDesk = createRemoteDesk({
    line: this.board.line(),
    bus: this.bus,
    clock: this.scheduler.clockOf('gateway'),
    randomness: seededRandomness(new Pcg32(7n, 1n)),
  });
  private seq = 0;

  async pass(ms: number): Promise<void> {
    await this.scheduler.drain(this.scheduler.now + ms);
  }

  frame(more: Partial<ExchangeRequest> = {}, gone?: AbortSignal): Promise<ExchangeResponse> {
    const base = { session: SESSION, seq: ++this.seq, handler: 'spec/1', queues: { q: 4 }, held: [], replies: [] };
    return this.desk.exchange('default', { ...base, ...more }, gone);
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    void promise.finally(() => (settled = true)).catch(() => undefined);
    for (let i = 0; i < 10_000 && !settled; i++) await this.pass(1);
    return promise;
  }
}

describe('the desk over the line', () => {
  let world: World;
  let red: Played;
  let blue: Played;
  beforeEach(async () => {
    world = new World();
    [red, blue] = [new Played(RED, world), new Played(BLUE, world)];
    await world.pass(1);
  });

  it('brings a frame to each replica, with its share of the places, and answers with whatever comes first', async () => {
    const answer = world.frame({ queues: { q: 5 } });
    await world.pass(5);
    expect(red.last).toMatchObject({ session: SESSION, seq: 1, handler: 'spec/1', held: [], replies: [] });
    expect((red.last?.queues['q'] ?? 0) + (blue.last?.queues['q'] ?? 0)).toBe(5);
    expect(red.last?.alive).toBeUndefined(); // The gateway's death is not the session's.
    blue.say({ tasks: [task(1)] });
    expect((await world.settle(answer)).tasks).toEqual([task(1)]);
  });

  it('keeps what comes late for the next frame, and says for the session that it has it', async () => {
    const first = world.frame();
    await world.pass(5);
    red.say({ tasks: [task(1)] });
    await world.settle(first);
    blue.say({ tasks: [task(2)] }); // No frame is open.
    await world.pass(5);
    const second = await world.settle(world.frame({ held: [attempt(1)], queues: { q: 3 } }));
    expect(second.tasks).toEqual([task(2)]);
    void world.frame({ held: [attempt(1)], queues: { q: 3 } }); // Sent before the second answer arrived.
    await world.pass(5);
    for (const { last } of [red, blue]) expect(new Set(last?.held)).toEqual(new Set([attempt(1), attempt(2)]));
    expect((red.last?.queues['q'] ?? 0) + (blue.last?.queues['q'] ?? 0)).toBe(2);
  });

  it('says no longer that it has a task which the session does not name: its replica gives it again', async () => {
    const first = world.frame();
    await world.pass(5);
    red.say({ tasks: [task(1)] });
    await world.settle(first); // The answer is lost.
    void world.frame();
    await world.pass(5);
    expect(red.last?.held).toEqual([attempt(1)]); // It may be on its way still.
    void world.frame();
    await world.pass(50);
    red.say({});
    await world.pass(5);
    expect(red.last?.held).toEqual([]);
  });

  it('takes a reply to whoever gave the task, and to another when that is gone', async () => {
    const first = world.frame();
    await world.pass(5);
    blue.say({ tasks: [task(1)] });
    await world.settle(first);
    const second = world.frame({ replies: [reply(1)] });
    await world.pass(5);
    expect(blue.last?.replies).toEqual([reply(1)]);
    expect(red.frames.flatMap(({ body }) => body.replies)).toEqual([]);
    blue.leave();
    await world.pass(50);
    expect(red.last?.replies).toEqual([reply(1)]);
    red.say({ forwarded: [`${attempt(1)}:end`] });
    expect(await world.settle(second)).toMatchObject({ forwarded: [`${attempt(1)}:end`] });
  });

  it('brings a reply to its durable subject when no replica settles it within a second', async () => {
    const published: unknown[] = [];
    await world.bus.consume(executionRun, (message) => {
      published.push(message.body);
      return Promise.resolve({ kind: 'done' });
    });
    const mute = new AbortController();
    void world.frame({ replies: [reply(1)] }, mute.signal);
    await world.pass(1_500);
    expect(published).toEqual([reply(1)]);
    const { forwarded } = await world.settle(world.frame());
    expect(forwarded).toEqual([`${attempt(1)}:end`]);
  });

  it('notices a replica whose connection is closed long before its silence counts, and gives its places to the other', async () => {
    void world.frame();
    await world.pass(150);
    expect(red.last?.queues['q']).toBe(2);
    blue.line.die();
    await world.pass(2 * PRESENCE_BEAT_MS);
    expect(world.desk.replicas).toEqual([RED]);
    void world.frame();
    await world.pass(10);
    expect(red.last?.queues['q']).toBe(4);
  });

  it('tells every replica that a session has hung up, once no frame of it is open', async () => {
    const cut = new AbortController();
    const answer = world.frame({}, cut.signal);
    await world.pass(5);
    cut.abort();
    await world.pass(5);
    expect(await answer).toMatchObject({ tasks: [] });
    for (const { told } of [red, blue]) expect(told).toEqual([{ session: SESSION }]);
    red.say({ tasks: [task(1)] }); // Nobody was left to take it: it is kept for whoever comes back.
    expect((await world.settle(world.frame())).tasks).toEqual([task(1)]);
  });

  it('holds a frame for no longer than a frame is held', async () => {
    const at = world.scheduler.now;
    await world.settle(world.frame());
    expect(world.scheduler.now - at).toBeGreaterThanOrEqual(FRAME_HOLD_MS);
    expect(world.scheduler.now - at).toBeLessThan(FRAME_HOLD_MS + 20);
  });

  it('polls one replica at a time, and finds what waits at another', async () => {
    let open = 0;
    let most = 0;
    for (const one of [red, blue])
      one.answers['poll'] = ({ waitMs }: { waitMs: number }) => {
        most = Math.max(most, ++open);
        world.scheduler.after('world', waitMs, () => void open--);
        return one === blue && world.scheduler.now > 500 ? { tasks: [task(1)] } : undefined;
      };
    // A replica that finds nothing answers after its wait.
    red.answers['poll'] = () => ({ tasks: [] });
    expect(await world.settle(world.desk.poll('default', 'q', { max: 1, waitMs: 5_000 }))).toEqual([task(1)]);
    expect(most).toBe(1);
  });

  it('asks all replicas who has an attempt and what waits, and believes none that is mute', async () => {
    red.answers = { queue: () => ({ handlers: 2, waiting: 3 }), holder: () => ({}), heartbeat: () => ({ open: false }) };
    blue.answers = { queue: () => ({ handlers: 2, waiting: 4 }), holder: () => ({ holder: 'h/1' }), heartbeat: () => ({ open: true }) };
    expect(await world.settle(world.desk.queue('default', 'q'))).toEqual({ handlers: 2, waiting: 7 });
    expect(await world.settle(world.desk.holder(attempt(1)))).toBe('h/1');
    expect(await world.settle(world.desk.heartbeat('default', attempt(1)))).toBe(true);
    blue.answers = {};
    await expect(world.settle(world.desk.heartbeat('default', attempt(1)))).rejects.toMatchObject({ code: 'ask_timeout' });
  });

  it('asks on the durable subject what became of a reply whose run is known', async () => {
    await world.bus.consume(executionRun, () => Promise.resolve({ kind: 'done', answer: { outcome: 'accepted' } }));
    expect(await world.settle(world.desk.reply('default', attempt(1), reply(1)))).toBe('accepted');
    red.answers['reply'] = () => ({ outcome: 'late' });
    blue.answers['reply'] = () => ({ outcome: 'accepted' });
    const { cairnrun: _, ...nameless } = reply(2);
    expect(await world.settle(world.desk.reply('default', attempt(2), nameless))).toBe('accepted');
  });

  it('fails as the bus does while no replica is heard', async () => {
    const alone = new World();
    await expect(alone.settle(alone.frame())).rejects.toMatchObject({ code: 'bus_unavailable' });
    await expect(alone.settle(alone.desk.poll('default', 'q', { max: 1, waitMs: 0 }))).rejects.toMatchObject({ code: 'bus_unavailable' });
    await expect(alone.settle(alone.desk.queue('default', 'q'))).rejects.toMatchObject({ code: 'bus_unavailable' });
  });

  it('takes a session that counts from one again for another process, which has nothing', async () => {
    for (let frames = 0; frames < 20; frames++) {
      const answer = world.frame();
      await world.pass(5);
      red.say({});
      blue.say({});
      await world.pass(25);
      void answer;
    }
    void world.frame({ seq: 1 });
    await world.pass(5);
    expect(red.last?.seq).toBe(1);
  });
});
