// Goal: what others ask of a replica over the line is answered whole, in bounds and by the one who serves (`architecture.md` §4.2, §4.4).
// Method: real execution replicas in virtual time; the spec speaks to them as sessions, the gateway and strangers do.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LINE_FRAME_BYTES_MAX, subjects, type ExchangeRequest, type ExchangeResponse } from '@cairn/contracts';
import { partitionOf, sha256Hex, type Id } from '@cairn/kernel';
import { commandOf, Replicas, SpecSession, type Replica } from './replicas.js';
import { attemptOf, OTHER, replyTo, runOf, SESSION, startOf, TASK } from './world.js';

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

class Lined extends Replicas {
  private seq = 0;

  async open(n = 1, steps?: readonly object[]): Promise<Replica[]> {
    await this.begin(steps);
    const replicas: Replica[] = [];
    for (let i = 0; i < n; i++) replicas.push(await this.add());
    await this.pass(2_000);
    return replicas;
  }

  async frame({ id }: Replica, more: Partial<ExchangeRequest> = {}): Promise<ExchangeResponse> {
    this.seq += 1;
    const frame = { session: SESSION, seq: this.seq, handler: 'spec/1', queues: { q: 1 }, held: [], replies: [], ...more };
    return (await this.ask(subjects.exchange('default', id), frame)) as ExchangeResponse;
  }
}

const serverOf = (key: string, replicas: readonly Replica[]): [Replica, Replica] => {
  const server = replicas.find(({ execution }) => execution.rank(partitionOf(runOf(key))) === 0) as Replica;
  return [server, replicas.find((replica) => replica !== server) as Replica];
};

describe('a frame over the line', () => {
  it('is answered within the bytes of one; what does not fit goes with the next', async () => {
    const world = new Lined();
    const input = { text: 'ü'.repeat(30_000) };
    const [replica] = (await world.open(1, [{ ...TASK[0], input: '${input}' }])) as [Replica];
    const keys = Array.from({ length: 40 }, (_, i) => `r${i}`);
    await world.frame(replica, { queues: { q: 0 } });
    for (const key of keys) await world.start(key, input);
    const held: Id[] = [];
    let frames = 0;
    for (; held.length < keys.length && frames < 20; frames++) {
      const answer = await world.frame(replica, { queues: { q: keys.length }, held });
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(LINE_FRAME_BYTES_MAX);
      held.push(...answer.tasks.map(attemptOf));
    }
    expect(new Set(held).size).toBe(keys.length);
    expect(frames).toBeGreaterThan(3);
    expect(frames).toBeLessThan(6);
  });

  it.each<[string, unknown, string]>([
    ['that is no JSON', undefined, 'invalid_json'],
    ['that lacks its session', { seq: 1 }, 'invalid_body'],
    [
      'with an inbox that is none',
      { session: SESSION, seq: 1, handler: 'h', queues: {}, held: [], replies: [], alive: '$JS.API.INFO' },
      'invalid_body',
    ],
  ])('%s is answered with a problem', async (_, frame, code) => {
    const world = new Lined();
    const [replica] = (await world.open()) as [Replica];
    const data = frame === undefined ? Buffer.from('{') : bytesOf(frame);
    const answer = await world.settle(world.line.ask(subjects.exchange('default', replica.id), data, 1_000));
    expect(JSON.parse(Buffer.from(answer).toString())).toMatchObject({ problem: { code } });
  });

  it('whose sender is gone loses what it had within a second, long before three beats', async () => {
    const world = new Lined();
    const [replica] = (await world.open()) as [Replica];
    const session = new SpecSession(world, SESSION);
    session.speakTo(replica);
    await world.start('a');
    await world.until(() => session.held.size === 1);
    await world.pass(120);
    session.die();
    expect(await world.until(async () => (await world.types('a')).includes('StepFailed'))).toBeLessThan(900);
    expect((await world.history('a')).at(-1)).toMatchObject({
      data: { failure: { code: 'handler_lost', message: 'its connection was cut' } },
    });
  });

  it('of a session that lives is never taken for one of the dead, however long it works', async () => {
    const world = new Lined();
    const [replica] = (await world.open()) as [Replica];
    const session = new SpecSession(world, SESSION);
    session.speakTo(replica);
    await world.start('a');
    await world.pass(20_000);
    expect(await world.types('a')).toEqual(['RunStarted', 'StepStarted']);
  });
});

describe('a replica that does not serve the run', () => {
  let world: Lined;
  let server: Replica;
  let other: Replica;
  beforeEach(async () => {
    world = new Lined();
    [server, other] = serverOf('a', await world.open(2));
    await world.frame(server, { queues: { q: 0 } });
    await world.start('a');
  });

  it('hands a reply on, and says so; the one who serves records it', async () => {
    const { tasks } = await world.frame(server);
    const reply = { ...replyTo(tasks[0]), cairnrun: runOf('a') };
    expect(await world.frame(other, { queues: {}, session: OTHER, replies: [reply] })).toMatchObject({
      accepted: [],
      forwarded: [reply.id],
    });
    await world.until(async () => (await world.types('a')).includes('RunCompleted'), 1_000);
  });

  it('answers a reply that the gateway asks it for with what became of it', async () => {
    const { tasks } = await world.frame(server);
    const reply = { ...replyTo(tasks[0]), cairnrun: runOf('a') };
    const asked = { attemptId: attemptOf(tasks[0]), reply };
    expect(await world.ask(subjects.desk('default', other.id, 'reply'), asked)).toEqual({ outcome: 'accepted' });
    expect((await world.types('a')).at(-1)).toBe('RunCompleted');
    expect(await world.ask(subjects.desk('default', other.id, 'reply'), { ...asked, reply: { ...reply, id: 'again' } })).toEqual({
      outcome: 'late',
    });
  });

  it('is silent on claims, and hands beats on', async () => {
    const { tasks } = await world.frame(server);
    const lease = tasks[0]?.data?.lease;
    await world.pass(1_600); // The session is silent: it would be lost at the next look.
    const beat = { specversion: '1.0', id: 'x:1', source: '/h', type: 'cairn.reply.heartbeat.v1', cairnrun: runOf('a'), data: { lease } };
    expect(await world.send(subjects.reply('default', partitionOf(runOf('a'))), beat, other)).toEqual({ kind: 'done' });
    let answers = 0;
    const inbox = world.line.ask(subjects.claim('default', partitionOf(runOf('a'))), bytesOf({ lease }), 1_000).then(() => (answers += 1));
    await world.settle(inbox);
    expect(answers).toBe(1);
  });

  it('tells the one who serves of what it has appended, so that nothing waits for the tail', async () => {
    await world.frame(server, { queues: { q: 0 } });
    const key = Array.from({ length: 40 }, (_, i) => `k${i}`).find((name) => serverOf(name, [server, other])[0] === server) as string;
    const { subject, body } = commandOf('StartRun', key, await startOf(world.store, key));
    const from = world.scheduler.now;
    expect(await world.send(subject, body, other)).toMatchObject({ kind: 'done' });
    const { tasks } = await world.frame(server, { queues: { q: 2 } });
    expect(tasks.map(({ cairnrun }) => cairnrun)).toContain(runOf(key));
    expect(world.scheduler.now - from).toBeLessThan(50);
  });
});

describe('what the gateway asks a desk', () => {
  it('is answered as its own desk would', async () => {
    const world = new Lined();
    const [replica] = (await world.open()) as [Replica];
    const desk = (question: 'poll' | 'queue' | 'holder' | 'heartbeat', asks: object): Promise<unknown> =>
      world.ask(subjects.desk('default', replica.id, question), asks);
    expect(await desk('poll', { queue: 'q', max: 1, waitMs: 0 })).toEqual({ tasks: [] });
    await world.start('a');
    expect(await desk('queue', { queue: 'q' })).toEqual({ handlers: 1, waiting: 1 });
    const { tasks } = (await desk('poll', { queue: 'q', max: 1, waitMs: 100 })) as ExchangeResponse;
    expect(tasks).toHaveLength(1);
    const attemptId = attemptOf(tasks[0]);
    expect(await desk('holder', { attemptId })).toEqual({ holder: 'poll' });
    expect(await desk('heartbeat', { attemptId })).toEqual({ open: true });
    expect(await world.ask(subjects.desk('acme', replica.id, 'heartbeat'), { attemptId })).toEqual({ open: false });
    expect(await desk('holder', { attemptId: OTHER })).toEqual({});
  });

  it.each([
    ['poll', { queue: 'Q!', max: 1, waitMs: 0 }],
    ['poll', { queue: 'q', max: 0, waitMs: 0 }],
    ['poll', { queue: 'q', max: 1, waitMs: 60_000 }],
    ['holder', {}],
    ['reply', { attemptId: OTHER, reply: { type: 'x' } }],
  ] as const)('%s %j is no question', async (question, asks) => {
    const world = new Lined();
    const [replica] = (await world.open()) as [Replica];
    expect(await world.ask(subjects.desk('default', replica.id, question), asks)).toMatchObject({ problem: { code: 'invalid_body' } });
  });
});

describe('an output that is an artifact', () => {
  let world: Lined;
  let replica: Replica;
  beforeEach(async () => {
    world = new Lined();
    [replica] = (await world.open()) as [Replica];
    await world.frame(replica, { queues: { q: 0 } });
    await world.start('a');
  });
  const put = async (text: string, more: object = {}): Promise<object> => {
    const bytes = Buffer.from(text);
    return { artifact: `sha256:${await world.artifacts.put(bytes)}`, bytes: bytes.length, mediaType: 'application/json', ...more };
  };
  const replied = async (output: object): Promise<ExchangeResponse> => {
    const { tasks } = await world.frame(replica);
    const reply = replyTo(tasks[0]);
    return world.frame(replica, { replies: [{ ...reply, data: { ...reply.data!, output: output as never } }] });
  };

  it('is checked and stands in the history by reference, canonical whatever its bytes were', async () => {
    const big = { z: 'x'.repeat(200_000), a: 1 };
    expect((await replied(await put(JSON.stringify(big, null, 2)))).accepted).toHaveLength(1);
    const succeeded = (await world.history('a')).find(({ type }) => type === 'StepSucceeded');
    const canonical = JSON.stringify({ a: 1, z: big.z });
    expect(succeeded?.data).toMatchObject({
      outputRef: { artifact: `sha256:${sha256Hex(canonical)}`, bytes: canonical.length, mediaType: 'application/json' },
    });
  });

  it('that is small stands there itself', async () => {
    expect((await replied(await put('{"a": 1}'))).accepted).toHaveLength(1);
    expect((await world.history('a')).find(({ type }) => type === 'StepSucceeded')?.data).toMatchObject({ output: { a: 1 } });
  });

  it.each<[string, (ref: object) => object, string]>([
    ['is not there', (ref) => ({ ...ref, artifact: `sha256:${'0'.repeat(64)}` }), '/data/output/artifact artifact_not_found'],
    ['has another size', (ref) => ({ ...ref, bytes: 3 }), '/data/output/bytes size_mismatch'],
    ['is larger than what is read', (ref) => ({ ...ref, bytes: 100_000_000 }), '/data/output/bytes too_large'],
    ['is of another medium', (ref) => ({ ...ref, mediaType: 'image/png' }), '/data/output/mediaType invalid_media_type'],
  ])('and %s is refused with its reason; nothing is recorded', async (_, wrong, reason) => {
    const { accepted, refused } = await replied(wrong(await put('{"a":1}')));
    expect(accepted).toEqual([]);
    expect(refused?.map(({ errors }) => errors.map(({ pointer, rule }) => `${pointer} ${rule}`))).toEqual([[reason]]);
    expect(await world.types('a')).toEqual(['RunStarted', 'StepStarted']);
  });

  it.each(['{', '[1e999]', '["\\ud800"]'])('and holds %s is refused', async (text) => {
    expect((await replied(await put(text))).refused).toMatchObject([{ errors: [{ rule: 'invalid_json' }] }]);
  });

  it('and is wrong is a dead letter by the bus', async () => {
    const { tasks } = await world.frame(replica);
    const output = await put('{"a":1}', { bytes: 9 });
    const reply = { ...replyTo(tasks[0]), cairnrun: runOf('a'), data: { lease: tasks[0]?.data?.lease, output } };
    expect(await world.send(subjects.reply('default', partitionOf(runOf('a'))), reply, replica)).toMatchObject({
      kind: 'never',
      reason: expect.stringContaining('size_mismatch'),
    });
  });
});
