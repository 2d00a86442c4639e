import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  checkBody,
  HANG_UP_GRACE_MS,
  replySchema,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
} from '@cairn/contracts';
import { idOf } from '@cairn/kernel';
import { OwnTime } from '@cairn/testkit';
import { z } from 'zod';
import { handler, type Handler } from './handler.js';
import { StepFailure } from './failure.js';
import { serve, type ServeOptions, type Worker } from './serve.js';

// A server in miniature speaks the documented exchange over real sockets; what the session does is seen in the frames that arrive.

type Frame = ExchangeRequest;
type Hold = { readonly frame: Frame; readonly answer: (body: Partial<ExchangeResponse>) => void };

class Door {
  readonly frames: Frame[] = [];
  readonly tokens: (string | undefined)[] = [];
  readonly held: Hold[] = [];
  readonly progress: string[] = [];
  open = 0;
  openMax = 0;
  /** What to do with a frame; by default it is held until the test answers or the next frame comes. */
  onFrame: (hold: Hold, response: ServerResponse) => void = (hold) => {
    this.held.splice(0).forEach((older) => older.answer({}));
    this.held.push(hold);
  };
  #wakers: (() => void)[] = [];
  #server: Server | undefined;

  async start(port = 0): Promise<string> {
    this.#server = createServer((request, response) => this.#serve(request, response));
    await new Promise<void>((resolve) => this.#server?.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every connection is gone, the server is not. */
  cut(): void {
    this.#server?.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** Resolves when the condition holds; jest's time-out is the bound. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }

  wake(): void {
    this.#wakers.splice(0).forEach((waker) => waker());
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as never;
      if (request.url?.endsWith(':heartbeat') === true) {
        this.progress.push((body as { progress: string }).progress);
        response.end(JSON.stringify({ accepted: this.progress.length === 1 }));
        return this.wake();
      }
      this.tokens.push(request.headers.authorization);
      this.#frame(body, response);
    });
  }

  #frame(frame: Frame, response: ServerResponse): void {
    this.frames.push(frame);
    this.openMax = Math.max(this.openMax, ++this.open);
    response.on('close', () => this.open--);
    const answer = (body: Partial<ExchangeResponse>): void => {
      response.end(JSON.stringify({ seq: frame.seq, accepted: [], late: [], forwarded: [], tasks: [], ...body }));
    };
    this.onFrame({ frame, answer }, response);
    this.wake();
  }

  replies(): CloudEvent<ReplyData>[] {
    return this.frames.flatMap(({ replies }) => replies);
  }
}

const attemptId = (n: number): string => idOf('attempt', 'spec', n);

function task(n: number, more: Partial<TaskData> = {}): CloudEvent<TaskData> {
  const lease = { attemptId: attemptId(n), branch: 'main', epoch: 1 };
  const data: TaskData = {
    kind: 'task',
    workflow: 'w',
    queue: 'q',
    step: 's',
    attempt: 1,
    attemptsMax: 5,
    input: { n },
    params: {},
    lease,
    leaseMs: 60_000,
    timeoutMs: 600_000,
    replyTo: 'cairn.default.reply.1',
    ...more,
  };
  return {
    specversion: '1.0',
    id: `${lease.attemptId}:0`,
    source: '/cairn/execution',
    type: 'cairn.task.v1',
    cairnrun: idOf('run', 'r', n),
    data,
  };
}

let door: Door;
let worker: Worker | undefined;
const said: string[] = [];

async function working(handlers: Handler[], options: ServeOptions = {}): Promise<Hold> {
  door = new Door();
  const url = await door.start();
  worker = serve({ url, token: 't0', ns: 'default', signals: false, graceMs: 100, say: (line) => said.push(line), ...options }, handlers);
  await door.until(() => door.held.length === 1);
  return door.held[0] as Hold;
}

afterEach(async () => {
  door.onFrame = ({ frame, answer }) => answer({ accepted: frame.replies.map(({ id }) => id) });
  door.held.splice(0).forEach(({ frame, answer }) => answer({ accepted: frame.replies.map(({ id }) => id) }));
  await worker?.stop();
  await door.stop();
});

describe('a session', () => {
  it('offers its free places, runs what it is given and replies with the lease', async () => {
    const { frame, answer } = await working([handler('q', { concurrency: 3 }, (task) => ({ twice: (task.input as { n: number }).n * 2 }))]);
    expect(frame).toMatchObject({ seq: 1, queues: { q: 3 }, held: [], replies: [], session: worker?.session });
    expect(door.tokens[0]).toBe('Bearer t0');
    answer({ tasks: [task(1), task(2)] });
    await door.until(() => door.replies().length === 2);
    expect(door.frames[1]?.replies).toHaveLength(2); // One tick, one frame.
    expect(door.replies()[0]).toEqual({
      specversion: '1.0',
      id: `${attemptId(1)}:end`,
      type: 'cairn.reply.succeeded.v1',
      source: `/q/${process.pid}`,
      cairnrun: idOf('run', 'r', 1),
      data: { lease: { attemptId: attemptId(1), branch: 'main', epoch: 1 }, output: { twice: 2 } },
    });
  });

  it('sends a reply at once although a frame is held open, and never has more than two under way', async () => {
    const finish: ((value: string) => void)[] = [];
    const first = await working([handler('q', { concurrency: 3 }, () => new Promise<string>((resolve) => finish.push(resolve)))]);
    door.onFrame = (hold) => door.held.push(hold);
    door.held.length = 0;
    first.answer({ tasks: [task(1), task(2), task(3)] });
    await door.until(() => door.held.length === 1);
    expect(door.frames.at(-1)?.held).toEqual([1, 2, 3].map(attemptId));
    finish[0]?.('done');
    await door.until(() => door.held.length === 2);
    finish[1]?.('done');
    finish[2]?.('done');
    await new Promise(setImmediate);
    expect(door.openMax).toBe(2);
    expect(door.held[1]?.frame.replies.map(({ id }) => id)).toEqual([`${attemptId(1)}:end`]);
    door.held[0]?.answer({});
    await door.until(() => door.held.length === 3);
    expect(door.held[2]?.frame.replies.map(({ id }) => id)).toEqual([`${attemptId(2)}:end`, `${attemptId(3)}:end`]);
    // The first reply is under way in the other frame: still in hand, or the server would give its task again.
    expect(door.held[2]?.frame.held).toEqual([attemptId(1)]);
    expect(door.openMax).toBe(2);
  });

  it('runs an attempt once however often it is given', async () => {
    let runs = 0;
    const first = await working([handler('q', () => ++runs)]);
    first.answer({ tasks: [task(1), task(1)] });
    await door.until(() => door.frames.length === 2);
    door.held[0]?.answer({ accepted: [`${attemptId(1)}:end`], tasks: [task(1)] });
    await door.until(() => door.frames.length === 3);
    expect(runs).toBe(1);
    expect(door.replies()).toHaveLength(1);
  });

  it('keeps what it was given beyond its places, and runs it when one is free', async () => {
    const finish: (() => void)[] = [];
    const first = await working([handler('q', { concurrency: 1 }, () => new Promise<void>((resolve) => finish.push(resolve)))]);
    first.answer({ tasks: [task(1), task(2)] });
    await door.until(() => door.frames.length === 2);
    expect(finish).toHaveLength(1);
    expect(door.frames[1]).toMatchObject({ queues: { q: 0 }, held: [attemptId(1), attemptId(2)] });
    finish[0]?.();
    await door.until(() => door.replies().length === 1);
    expect(finish).toHaveLength(2);
    finish[1]?.();
  });

  it('sends a reply again, under its id, when a frame is answered without it', async () => {
    const first = await working([handler('q', () => 'done')]);
    door.onFrame = ({ frame, answer }) =>
      void setTimeout(() => answer({ accepted: frame.seq > 3 ? frame.replies.map(({ id }) => id) : [] }), 30);
    first.answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 2);
    expect(new Set(door.replies().map(({ id }) => id))).toEqual(new Set([`${attemptId(1)}:end`]));
  });

  it('goes on while the server is away, finds it on another port with another token, and delivers what nobody accepted', async () => {
    const data = mkdtempSync(join(tmpdir(), 'cairn-sdk-'));
    const tell = (url: string, token: string): void => {
      writeFileSync(join(data, 'server.json'), JSON.stringify({ url, pid: 1, ns: 'acme' }));
      writeFileSync(join(data, 'token'), `${token}\n`);
    };
    let finish: (value: string) => void = () => {};
    door = new Door();
    tell(await door.start(), 't1');
    said.length = 0;
    const options = { data, signals: false, graceMs: 100, say: (line: string): unknown => said.push(line) } as const;
    worker = serve(options, [
      handler('q', (task) => (task.attempt === 1 ? 'at once' : new Promise((resolve) => (finish = resolve as never)))),
    ]);
    await door.until(() => door.held.length === 1);
    door.held[0]?.answer({ tasks: [task(1), task(2, { attempt: 2 })] });
    await door.until(() => door.replies().length === 1);
    await door.stop(); // The first reply has arrived, its answer never will.
    finish('worked on meanwhile');
    const before = door;
    door = new Door();
    tell(await door.start(), 't2');
    await door.until(() => door.replies().length === 2);
    expect(door.replies().map(({ id }) => id)).toEqual([`${attemptId(1)}:end`, `${attemptId(2)}:end`]);
    expect(door.tokens[0]).toBe('Bearer t2');
    expect(door.frames[0]?.session).toBe(before.frames[0]?.session);
    expect(said[0]).toMatch(/no answer from .* trying again/);
  });

  it('shows itself again well within the grace of a server that saw its connection cut', async () => {
    let finish: () => void = () => {};
    const first = await working([handler('q', () => new Promise<void>((resolve) => (finish = resolve)))]);
    first.answer({ tasks: [task(1)] });
    await door.until(() => door.frames.length === 2);
    for (let cuts = 0; cuts < 5; cuts++) {
      const [own, seen] = [OwnTime.start(), door.frames.length];
      door.cut();
      await door.until(() => door.frames.length > seen);
      expect(own.stop()).toBeLessThan(HANG_UP_GRACE_MS);
      expect(door.frames.at(-1)).toMatchObject({ session: worker?.session, held: [attemptId(1)] });
      door.held.splice(0).pop()?.answer({}); // Heard: the next cut is a first one again.
      await door.until(() => door.held.length === 1);
    }
    finish();
  });

  it('shows an effect with the key that goes to the target, and a task without one', async () => {
    const effect = { key: 'vendor:7:pay#1', fingerprint: 'ab'.repeat(32), guarantee: 'idempotent' } as const;
    const first = await working([
      handler('q', (task) => ({ effect: task.effect ?? null, purpose: task.purpose ?? null, key: task.idempotencyKey })),
    ]);
    first.answer({ tasks: [task(1, { kind: 'effect', effect, purpose: 'pay vendor 7' }), task(2)] });
    await door.until(() => door.replies().length === 2);
    expect(door.replies()[0]?.data?.output).toEqual({ effect, purpose: 'pay vendor 7', key: 'vendor:7:pay#1' });
    expect(door.replies()[1]?.data?.failure).toMatchObject({ code: 'TypeError', message: 'step s is no effect: it has no key' });
  });

  it('isolates a reply that the server refuses and ends that attempt as failed', async () => {
    const first = await working([handler('q', (task) => task.result((task.input as { n: number }).n, { evidence: 'e' }))]);
    door.onFrame = ({ frame, answer }, response) => {
      if (frame.replies.some(({ data }) => data?.output === 2)) response.writeHead(422).end('{"code":"invalid_body"}');
      else answer({ accepted: frame.replies.map(({ id }) => id) });
    };
    first.answer({ tasks: [task(1), task(2), task(3)] });
    await door.until(() => door.replies().some(({ data }) => data?.failure !== undefined));
    expect(door.replies().at(-1)?.data?.failure).toMatchObject({
      code: 'invalid_output',
      message: expect.stringContaining('invalid_body'),
    });
    await door.until(() => door.replies().some(({ data }) => data?.output === 3));
  });

  it('reports progress and tells the handler when its lease is lost', async () => {
    let why: unknown;
    const first = await working([
      handler('q', async (task) => {
        await task.progress('1 of 2');
        expect(task.signal.aborted).toBe(false);
        await task.progress('2 of 2');
        why = task.signal.reason;
      }),
    ]);
    first.answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 1);
    expect(door.progress).toEqual(['1 of 2', '2 of 2']);
    expect(why).toEqual(new Error('the lease of this attempt is lost'));
  });

  it('drains: takes nothing new, aborts what does not end, delivers its replies', async () => {
    const first = await working([
      handler('q', (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)))),
    ]);
    first.answer({ tasks: [task(1)] });
    await door.until(() => door.frames.length === 2);
    door.onFrame = ({ frame, answer }) => void setTimeout(() => answer({ accepted: frame.replies.map(({ id }) => id) }), 10);
    door.held[0]?.answer({});
    const stopped = worker?.stop();
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data?.failure?.message).toBe('the process drains');
    expect(door.frames.at(-1)?.queues).toEqual({ q: 0 });
    await stopped;
  });

  it('can be written to a log as JSON: what was asked for, without the session', async () => {
    const first = await working([handler('q', (task) => JSON.parse(JSON.stringify(task)) as object)]);
    first.answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data).toMatchObject({ output: { attempt: 1, input: task(1).data?.input, kind: 'task' } });
  });

  it('aborts the signal when the time of the attempt is over', async () => {
    const first = await working([
      handler(
        'q',
        (task) => new Promise((resolve) => task.signal.addEventListener('abort', () => resolve((task.signal.reason as Error).message))),
      ),
    ]);
    first.answer({ tasks: [task(1, { timeoutMs: 20 })] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data?.output).toBe('the time of this attempt is over');
  });

  it('says of a time that is over, passed on by the handler, that it is a time-out', async () => {
    const first = await working([
      handler('q', (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error)))),
    ]);
    first.answer({ tasks: [task(1, { timeoutMs: 20 })] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data?.failure).toMatchObject({ bucket: 'timeout', code: 'TimeoutError' });
  });
});

describe('what a handler gives or throws', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
      getPrototypeOf: () => {
        throw new Error('no');
      },
    },
  );
  const long = Object.assign(new Error('x'.repeat(1_000_000)), { stack: '\u0000'.repeat(1_000_000) });
  const input = z.object({ n: z.number() });
  const throwing = (thrown: unknown): Handler =>
    handler('q', () => {
      throw thrown;
    });
  const cases: [string, Handler, object][] = [
    ['null', throwing(null), { message: 'the handler threw null' }],
    ['a text', throwing('broken'), { message: 'broken' }],
    ['a hostile Proxy (B-28)', throwing(hostile), { message: 'the handler threw something that cannot be looked at' }],
    [
      'a rejected hostile Proxy',
      handler('q', () => Promise.reject(hostile as Error)),
      { message: 'the handler threw something that cannot be looked at' },
    ],
    ['a returned hostile Proxy', handler('q', () => hostile), { message: expect.any(String) }],
    [
      'an error of the network',
      throwing(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
      { bucket: 'network', code: 'ECONNRESET', message: 'reset' },
    ],
    ['a time-out', throwing(new DOMException('too slow', 'TimeoutError')), { bucket: 'timeout', message: 'too slow' }],
    ['another error', throwing(new RangeError('off')), { code: 'RangeError', message: 'off' }],
    [
      'task.failure',
      handler('q', (task) => {
        throw task.failure({ bucket: 'rate_limited', code: 429, retryAfter: new Date(0), sideEffect: 'none' });
      }),
      { bucket: 'rate_limited', code: '429', message: '429', retryAfter: '1970-01-01T00:00:00.000Z', sideEffect: 'none' },
    ],
    [
      'a bad input',
      handler('q', { input: z.object({ n: z.string() }) }, () => 1),
      { code: 'invalid_input', message: expect.stringContaining('/n: ') },
    ],
    [
      'a bad output',
      handler('q', { input, output: z.string() }, () => 1 as never),
      { code: 'invalid_output', message: expect.stringContaining('schema') },
    ],
    [
      'a bad output by JSON Schema',
      handler('q', { output: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } } }, () => ({})),
      { code: 'invalid_output', message: expect.stringContaining('/a: ') },
    ],
    [
      'a large output',
      handler('q', () => 'ü'.repeat(4_200_000)),
      { code: 'invalid_output', message: expect.stringContaining('8400002 bytes') },
    ],
    ['a bigint', handler('q', () => 1n), { code: 'invalid_output', message: expect.stringContaining('JSON') }],
  ];
  it.each(cases)('%s', async (_, code, failure) => {
    (await working([code])).answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.type).toBe('cairn.reply.failed.v1');
    expect(door.replies()[0]?.data?.failure).toMatchObject(failure);
  });

  // B-28: what a handler gives or throws is its own failure, never the session's.
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const evil = (act: (settle: (value: unknown) => void, reject: (thrown: unknown) => void) => void): Handler =>
    handler('q', () => ({ then: act }));
  it.each<[string, Handler]>([
    ['undefined', throwing(undefined)],
    ['a symbol', throwing(Symbol('x'))],
    ['a function', throwing(() => 1)],
    ['an empty text', throwing('')],
    ['a circle', throwing(circle)],
    ['an error in a circle', throwing(Object.assign(new Error('x'), { cause: circle, response: circle, status: 500, error: circle }))],
    ['an object without prototype', throwing(Object.create(null))],
    [
      'getters that throw',
      throwing(
        Object.defineProperty(new Error('x'), 'message', {
          get: () => {
            throw new Error('no');
          },
        }),
      ),
    ],
    ['a failure that is none', throwing(Object.create(StepFailure.prototype))],
    ['a failure whose details are hostile', handler('q', (task) => task.failure({ code: 1, details: hostile }))],
    ['a failure whose details go round', handler('q', (task) => task.failure({ code: 1, details: circle as never }))],
    [
      'a failure with fields of wrong kinds',
      handler('q', (task) =>
        task.failure({
          code: {},
          bucket: 7,
          sideEffect: 'maybe',
          retryAfter: 'soon',
          message: 5,
          details: 'x',
          usage: circle,
          evidence: [],
        } as never),
      ),
    ],
    ['a failure caused by a hostile Proxy', handler('q', (task) => task.failure({ cause: hostile }))],
    [
      'a revoked Proxy',
      throwing(
        (() => {
          const { proxy, revoke } = Proxy.revocable({}, {});
          revoke();
          return proxy;
        })(),
      ),
    ],
    ['a promise that fails twice', evil((_, reject) => (reject(new Error('one')), reject(new Error('two'))))],
    [
      'a promise that fails and throws',
      evil((_, reject) => {
        reject(new Error('one'));
        throw new Error('two');
      }),
    ],
    ['a result with a circle', handler('q', (task) => task.result(circle))],
    ['a result that cost a circle', handler('q', (task) => task.result(1, { usage: circle as never }))],
    [
      'a schema that throws',
      handler(
        'q',
        {
          input: z.custom(() => {
            throw new Error('no');
          }),
        },
        () => 1,
      ),
    ],
  ])('%s is a failure within bounds, once, and the next attempt runs', async (_, bad) => {
    let runs = 0;
    const good: Handler = handler('good', () => ++runs);
    (await working([bad, good])).answer({ tasks: [task(1), task(2, { queue: 'good' })] });
    await door.until(() => door.replies().length === 2);
    const [failed, succeeded] = door.replies();
    expect(checkBody(replySchema, failed)).toMatchObject({ kind: 'ok', value: { type: 'cairn.reply.failed.v1' } });
    expect(failed?.data?.failure?.message.length).toBeLessThanOrEqual(2_048);
    expect(Buffer.byteLength(JSON.stringify(failed?.data?.failure?.details ?? {}))).toBeLessThanOrEqual(8_192);
    expect(succeeded?.data?.output).toBe(1);
  });

  it.each<[string, Handler, 'none' | 'applied' | undefined]>([
    ['an unexpected error says nothing, so that it counts as unknown', throwing(new Error('cut off')), undefined],
    ['a bad input: the function was not called', handler('q', { input: z.object({ n: z.string() }) }, () => 1), 'none'],
    ['a bad output: the function has done its work', handler('q', { input, output: z.string() }, () => 1 as never), 'applied'],
    ['what the handler says', handler('q', (task) => task.failure({ cause: new Error('no route'), sideEffect: 'none' })), 'none'],
  ])('of an effect, %s', async (_, code, sideEffect) => {
    const effect = { key: 'k', fingerprint: 'ab'.repeat(32), guarantee: 'none' } as const;
    (await working([code])).answer({ tasks: [task(1, { kind: 'effect', effect, claim: true })] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data?.failure?.sideEffect).toBe(sideEffect);
  });

  it('reads the body of a fetch answer that was thrown as it came, as far as it comes', async () => {
    const answer = (body: string | ReadableStream): Response => new Response(body, { status: 400, headers: { 'x-request-id': 'r-1' } });
    const cases: [string | ReadableStream, unknown][] = [
      ['{"error":{"code":"context_length_exceeded"}}', { error: { code: 'context_length_exceeded' } }],
      ['x'.repeat(200_000), expect.stringMatching(/^x+… \[cut\]$/)],
      [new ReadableStream({ start: (stream) => stream.error(new Error('cut off')) }), undefined],
      [new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('half of it')) }), 'half of it'], // And never ends.
    ];
    const bodies = [...cases];
    const first = await working([
      handler('q', { concurrency: 1 }, () => Promise.reject(answer(bodies.shift()?.[0] ?? '') as unknown as Error)),
    ]);
    door.onFrame = ({ frame, answer: reply }) => void setTimeout(() => reply({ accepted: frame.replies.map(({ id }) => id) }), 10);
    first.answer({ tasks: cases.map((_, i) => task(i + 1)) });
    await door.until(() => door.replies().length === cases.length);
    expect(door.replies().map(({ data }) => data?.failure?.details?.['body'])).toEqual(cases.map(([, body]) => body));
    for (const { data } of door.replies())
      expect(data?.failure).toMatchObject({ code: '400', details: { status: 400, headers: { 'x-request-id': 'r-1' } } });
  });

  it('tells what a failed attempt cost', async () => {
    const usage = { usd: 0.02, tokensIn: 812, model: 'm-1' };
    (await working([handler('q', (task) => task.failure({ code: 'refused', usage }))])).answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 1);
    expect(door.replies()[0]?.data?.usage).toEqual(usage);
  });

  it('cuts a message to 2,048 characters and a stack to 8 KiB of JSON', async () => {
    (await working([throwing(long)])).answer({ tasks: [task(1)] });
    await door.until(() => door.replies().length === 1);
    const failure = door.replies()[0]?.data?.failure;
    expect(failure?.message).toHaveLength(2_048);
    expect(failure?.message.endsWith('[cut]')).toBe(true);
    expect(Buffer.byteLength(JSON.stringify(failure?.details))).toBeLessThanOrEqual(8_192);
  });

  it.each([
    [() => handler('No Queue', () => 1), /no name/],
    [() => handler('q', { concurrency: 0 }, () => 1), /concurrency/],
    [() => handler('q', { input: { type: 'nonsense' } }, () => 1), /JSON Schema/],
    [() => serve({ signals: false }, [handler('q', () => 1), handler('q', () => 2)]), /one handler a queue/],
    [() => serve({ signals: false }, []), /at least one/],
    [() => serve({ signals: false, name: 'a b' }, [handler('q', () => 1)]), /no name/],
  ])('refuses what cannot be, at once: %#', (make, message) => {
    expect(make).toThrow(message);
  });
});
