// Goal: handlers work over the bus as they do by HTTP, and no task is lost with a replica, a connection or a server. Method: `serve` on a
// real nats-server; replicas of execution are played, each on a connection of its own, and keep the exchange's rules.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyTopology, connectNats, createJetStreamBus, createNatsLine, type JetStreamBus } from '@cairn/bus-jetstream';
import { busStreams, executionPartition } from '@cairn/contracts';
import { idOf, type Id, type JsonObject } from '@cairn/kernel';
import type { Line } from '@cairn/ports';
import { systemClock, systemRandomness } from '@cairn/system';
import { findNatsServer, notRun, OwnTime, RunningNats, waitUntil } from '@cairn/testkit';
import { handler, serve, type Handler, type ServeOptions, type Worker } from '@cairn/sdk';
import { attemptId, ScriptedReplica, taskOf } from './scripted-replica.js';

const found = findNatsServer();
const [RED, BLUE] = [idOf('random', 'red'), idOf('random', 'blue')];
/** Sooner than beats that stay out are noticed: it was told. */
const AT_ONCE_MS = 1_500;
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('a worker over the bus', () => {
  if ('missing' in found) {
    it('works as it does by HTTP', () => notRun('sdk over the bus', found.missing));
    return;
  }
  let nats: RunningNats;
  let worker: Worker | undefined;
  const said: string[] = [];
  const closers: (() => Promise<void>)[] = [];

  const connection = async (name: string) => connectNats({ servers: nats.url, name, clock: systemClock, randomness: systemRandomness });

  /** A replica with a connection of its own; `line.close` leaves the connection, so that dying closes that. */
  async function replica(id: Id, knows?: (attempt: Id) => boolean): Promise<ScriptedReplica> {
    const own = await connection(`replica ${id}`);
    const inner = createNatsLine(own, systemClock);
    const line: Line = Object.assign(Object.create(inner) as Line, { close: () => own.close() });
    for (const method of ['tell', 'ask', 'listen', 'ifGone'] as const) Object.assign(line, { [method]: inner[method].bind(inner) });
    const played = new ScriptedReplica(id, line, systemClock, knows);
    closers.push(() => {
      played.stop();
      return own.close();
    });
    return played;
  }

  async function bus(): Promise<JetStreamBus> {
    const own = await connection('spec');
    await applyTopology(own, busStreams, [executionPartition(1)]);
    const opened = createJetStreamBus({ connection: own, clock: systemClock });
    closers.push(() => opened.close());
    return opened;
  }

  function work(handlers: readonly Handler[], options: ServeOptions = {}): Worker {
    worker = serve({ nats: nats.url, ns: 'default', signals: false, graceMs: 500, say: (line) => said.push(line), ...options }, handlers);
    return worker;
  }

  beforeEach(async () => {
    said.length = 0;
    nats = await RunningNats.start(found.path);
  });
  afterEach(async () => {
    await worker?.stop();
    worker = undefined;
    for (const close of closers.splice(0)) await close();
    await nats.dispose();
  });

  const outputs = (...replicas: ScriptedReplica[]): unknown[] => replicas.flatMap(({ replies }) => replies.map(({ data }) => data?.output));

  it('takes tasks of every replica and brings each reply to whoever gave the task', async () => {
    const [red, blue] = [await replica(RED), await replica(BLUE)];
    work([handler('q', ({ input }) => (input as { n: number }).n)]);
    red.add(taskOf(1), taskOf(2));
    blue.add(taskOf(3));
    await waitUntil('each has its replies', () => red.replies.length === 2 && blue.replies.length === 1);
    expect(outputs(red)).toEqual([1, 2]);
    expect(outputs(blue)).toEqual([3]);
    expect(red.frames[0]).toMatchObject({ session: worker?.session, seq: 1, handler: `q/${process.pid}` });
    expect(red.frames[0]?.alive).toMatch(/^_INBOX/);
  });

  it('loses none of 10,000 tasks of two replicas', async () => {
    const [red, blue] = [await replica(RED), await replica(BLUE)];
    const runs = new Map<number, number>();
    work([
      handler('q', { concurrency: 64 }, async ({ input }) => {
        const { n } = input as { n: number };
        runs.set(n, (runs.get(n) ?? 0) + 1);
        if (n % 5 > 0) await new Promise((resolve) => setTimeout(resolve, n % 5));
        return n;
      }),
    ]);
    for (const n of numbers(10_000)) (n % 2 === 0 ? red : blue).waiting.push(taskOf(n));
    await waitUntil('all have a reply', () => red.replies.length + blue.replies.length === 10_000, 60_000);
    expect(new Set(outputs(red, blue)).size).toBe(10_000);
    expect(Math.max(...runs.values())).toBe(1);
    expect([red, blue].map(({ given }) => given.size)).toEqual([0, 0]);
  });

  it('brings replies to the other replica when whoever gave the tasks is killed', async () => {
    const [red, blue] = [await replica(RED), await replica(BLUE)];
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    work([handler('q', { concurrency: 4 }, ({ input }) => finished.then(() => (input as { n: number }).n))]);
    red.add(taskOf(1), taskOf(2));
    await waitUntil('both are held', () => blue.frames.at(-1)?.held.length === 2);
    const own = OwnTime.start();
    await red.die();
    finish();
    await waitUntil('the other has them', () => blue.forwarded.length === 2);
    expect(own.stop()).toBeLessThan(AT_ONCE_MS);
    expect(blue.forwarded.map(({ id }) => id).sort()).toEqual([1, 2].map((n) => `${attemptId(n)}:end`).sort());
  });

  it('goes on with the other when one leaves, and with one that is new', async () => {
    const [red, blue] = [await replica(RED), await replica(BLUE)];
    work([handler('q', { concurrency: 2 }, () => 'done')]);
    await waitUntil('both have frames', () => red.frames.length > 0 && blue.frames.length > 0);
    const own = OwnTime.start();
    red.leave();
    await waitUntil('the other is offered all places', () => blue.frames.at(-1)?.queues['q'] === 2);
    expect(own.stop()).toBeLessThan(AT_ONCE_MS);
    const green = await replica(idOf('random', 'green'));
    green.add(taskOf(1));
    await waitUntil('the new one has a reply', () => green.replies.length === 1);
  });

  it('with one place serves two replicas, of which one falls mute', async () => {
    const [red, blue] = [await replica(RED), await replica(BLUE)];
    let running = 0;
    let most = 0;
    work([
      handler('q', { concurrency: 1 }, async () => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
      }),
    ]);
    for (const n of numbers(200)) (n % 2 === 0 ? red : blue).waiting.push(taskOf(n));
    await waitUntil('both are served', () => red.replies.length > 20 && blue.replies.length > 20);
    red.isMute = true;
    await waitUntil('the one that speaks has all its replies', () => blue.replies.length === 100);
    red.isMute = false;
    await waitUntil('so has the other', () => red.replies.length === 100);
    expect(most).toBe(1);
  });

  it('brings a reply that no replica settles to its durable subject', async () => {
    const durable: JsonObject[] = [];
    await (
      await bus()
    ).consume(executionPartition(1), (message) => {
      durable.push(message.body);
      return Promise.resolve({ kind: 'done' });
    });
    const red = await replica(RED);
    red.isForgetful = true;
    work([handler('q', () => 'done')]);
    red.add(taskOf(1));
    await waitUntil('it is on the bus', () => durable.length === 1);
    expect(durable[0]).toMatchObject({ id: `${attemptId(1)}:end`, type: 'cairn.reply.succeeded.v1', data: { output: 'done' } });
  });

  it('works on while the server of the bus is away, and delivers when it is back', async () => {
    const red = await replica(RED);
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    work([handler('q', () => finished)]);
    red.add(taskOf(1));
    await waitUntil('it is held', () => red.frames.at(-1)?.held.length === 1);
    await nats.kill();
    finish();
    await waitUntil('somebody is told', () => said.length > 0);
    await nats.startAgain();
    await waitUntil('the reply arrives', () => red.replies.length === 1);
    await waitUntil('somebody is told that it is back', () => said.some((line) => line.startsWith('server is back')));
    expect(said[0]).toMatch(/trying again$/);
  });

  it('is found by the server file, before the server is there and when it goes elsewhere', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-sdk-'));
    const tell = (url: string): void => writeFileSync(join(data, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:1', nats: url }));
    worker = serve({ data, ns: 'default', signals: false, graceMs: 500, say: (line) => said.push(line) }, [handler('q', () => 'done')]);
    await waitUntil('nobody is there', () => said.length > 0); // By HTTP, since no file names a bus.
    tell(nats.url);
    const red = await replica(RED);
    red.add(taskOf(1));
    await waitUntil('it works over the bus', () => red.replies.length === 1);
    const before = nats;
    await before.kill();
    nats = await RunningNats.start(found.path);
    tell(nats.url);
    const blue = await replica(BLUE);
    blue.add(taskOf(2));
    await waitUntil('it works over the other bus', () => blue.replies.length === 1);
    await before.dispose();
    rmSync(data, { recursive: true });
  });

  it('leaves no task behind when it stops', async () => {
    const red = await replica(RED);
    const own = work([handler('q', () => 'done')]);
    await waitUntil('it is there', () => red.frames.length > 0);
    const stopped = own.stop();
    red.add(...numbers(20).map((n) => taskOf(n)));
    await stopped;
    const taken = 20 - red.waiting.length;
    expect(red.replies).toHaveLength(taken); // What it was given until then it has answered.
    expect(red.given.size).toBe(0);
  });

  it('tells a handler that reports progress when its attempt is over', async () => {
    const red = await replica(RED);
    const open = [true, false];
    red.line.listen(`cairn.default.desk.${RED}.heartbeat`, (message) =>
      message.answer(Buffer.from(JSON.stringify({ open: open.shift() }))),
    );
    const seen: boolean[] = [];
    work([
      handler('q', async (task) => {
        for (let i = 0; i < 2; i++) {
          await task.progress(`${i} of 2`);
          seen.push(task.signal.aborted);
        }
      }),
    ]);
    red.add(taskOf(1));
    await waitUntil('it has ended', () => red.replies.length === 1);
    expect(seen).toEqual([false, true]);
  });
});
