import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idOf, type JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { startStandalone, type Standalone } from './standalone.js';

interface Got {
  readonly status: number;
  readonly json: JsonObject;
}

interface Task {
  readonly data: { readonly lease: { readonly attemptId: string }; readonly input: JsonObject };
}

const DEFINITION = {
  cairn: 1,
  name: 'order',
  version: '1.0.0',
  input: { type: 'object', required: ['n'], properties: { n: { type: 'number' } } },
  on: [{ event: 'shop.order.placed', key: '${event.data.id}', input: { n: '${event.data.n}' } }],
  steps: [
    { id: 'count', task: { queue: 'counting' }, input: { n: '${input.n}' } },
    { id: 'go', wait: { any: [{ signal: 'go' }], noDeadline: { because: 'a person comes back' } } },
    { id: 'paid', wait: { any: [{ event: { type: 'shop.order.paid', key: '${run.key}' } }], deadline: '1d', onDeadline: { value: null } } },
    { id: 'pack', task: { queue: 'packing' } },
  ],
  output: { value: '${steps.pack.output}' },
};

/** Every service in one process on a real file, spoken to over real HTTP. */
describe('standalone', () => {
  let data: string;
  let server: Standalone;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'cairn-standalone-'));
    server = await startStandalone({ data, port: 0, ns: ['default', 'acme'], logLevel: 'silent' });
    expect((await put('definitions/order', DEFINITION)).status).toBe(201);
  });
  afterAll(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Got> {
    const response = await fetch(`${server.url}/v1/default/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${server.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as JsonObject };
  }
  const get = async (path: string): Promise<JsonObject> => (await call('GET', path)).json;
  const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Got> => call('POST', path, body, headers);
  const put = (path: string, body: unknown): Promise<Got> => call('PUT', path, body);
  const event = (id: string, type: string, more: JsonObject): JsonObject => ({ specversion: '1.0', id, source: '/shop', type, ...more });

  /** Takes the queue's next task of that run and answers it. */
  async function work(queue: string, output: unknown): Promise<{ readonly task: Task; readonly again: () => Promise<Got> }> {
    const { tasks } = (await post(`work/${queue}:poll`, { max: 1, waitMs: 30_000 })).json as unknown as { tasks: readonly Task[] };
    const [task] = tasks;
    if (task === undefined) throw new Error(`no task on ${queue}`);
    const { lease } = task.data;
    const answer = (): Promise<Got> =>
      post(`work/${lease.attemptId}:reply`, {
        specversion: '1.0',
        id: `${lease.attemptId}:end`,
        source: '/spec/1',
        type: 'cairn.reply.succeeded.v1',
        data: { lease, output },
      });
    expect((await answer()).json).toEqual({ accepted: true });
    return { task, again: answer };
  }

  function reaches(run: string, state: string): Promise<JsonObject> {
    return waitUntil(`${run} is ${state}`, async () => {
      const view = await get(`runs/${run}`);
      return view['state'] === state ? view : undefined;
    });
  }

  it('takes a run from its event to its result, and the history is whole', async () => {
    const placed = await post('events', event('o-1', 'shop.order.placed', { data: { id: 'O-1', n: 3 } }));
    expect([placed.status, placed.json['outcome']]).toEqual([202, 'started']);
    const run = idOf('run', 'default', 'order', 'O-1');

    const { task } = await work('counting', { counted: 3 });
    expect(task.data.input).toEqual({ n: 3 });
    await reaches(run, 'waiting');
    const go = (): Promise<Got> => post(`runs/${run}/signals/go`, { data: { by: 'ana' } }, { 'idempotency-key': 'go-1' });
    const signal = await go();
    expect([signal.status, signal.json['outcome']]).toEqual([202, 'woke']);
    const paid = await post('events', event('p-1', 'shop.order.paid', { cairnkey: 'O-1' }));
    expect(paid.json['outcome']).toBe('woke');
    await work('packing', { parcels: 1 });

    expect(await get(`runs/${run}/result?waitMs=30000`)).toEqual({ run, state: 'complete', outcome: 'succeeded', output: { parcels: 1 } });
    expect(await get(`runs/${run}/verify?when=quiescent`)).toEqual({ run, violations: [] });
    expect(await get(`events?source=%2Fshop&id=o-1`)).toMatchObject({ outcome: 'started', runs: [{ run }] });

    // B-16: nothing reaches a run that has ended.
    const late = await post(`runs/${run}/signals/go`, {});
    expect([late.status, late.json['code']]).toEqual([409, 'run_ended']);
    // F-2: whom the answer never reached asks again, and gets the receipt, though the run has ended by this very signal.
    expect(await go()).toEqual(signal);
    // B-19: an event for a wait that is over changes nothing.
    const { revision } = await get(`runs/${run}`);
    await post('events', event('p-2', 'shop.order.paid', { cairnkey: 'O-1' }));
    expect(await post('events', event('p-1', 'shop.order.paid', { cairnkey: 'O-1' }))).toMatchObject({
      status: 202,
      json: { outcome: 'woke' },
    });
    expect((await get(`runs/${run}`))['revision']).toBe(revision);
  });

  it('starts one run for a hundred equal starts at once (B-14)', async () => {
    const starts = await Promise.all(Array.from({ length: 100 }, () => post('workflows/order/runs', { key: 'O-14', input: { n: 1 } })));
    expect(new Set(starts.map(({ status, json }) => `${status} ${String(json['runId'])}`))).toEqual(
      new Set([`202 ${idOf('run', 'default', 'order', 'O-14')}`]),
    );
    expect(starts.filter(({ json }) => json['outcome'] === 'started')).toHaveLength(1);
    await work('counting', {});
  });

  it('takes a start with the same Idempotency-Key for the same run, and another body for a conflict (B-15)', async () => {
    const key = { 'idempotency-key': 'start-15' };
    const first = await post('workflows/order/runs', { input: { n: 1 } }, key);
    const again = await post('workflows/order/runs', { input: { n: 1 } }, key);
    expect(again).toEqual(first);
    const other = await post('workflows/order/runs', { input: { n: 2 } }, key);
    expect([other.status, other.json['code']]).toEqual([409, 'idempotency_conflict']);
    await work('counting', {});
  });

  it('takes an event id with other content for a conflict (B-13)', async () => {
    await post('events', event('e-13', 'shop.other', { data: 1 }));
    const other = await post('events', event('e-13', 'shop.other', { data: 2 }));
    expect([other.status, other.json['code']]).toEqual([409, 'idempotency_conflict']);
  });

  it('keeps a signal and an event that come before their waits, and uses them (B-16, B-17)', async () => {
    const start = await post('workflows/order/runs', { key: 'O-17', input: { n: 1 } });
    const run = String(start.json['runId']);
    expect((await post(`runs/${run}/signals/go`, {})).json['outcome']).toBe('kept');
    expect((await post('events', event('p-17', 'shop.order.paid', { cairnkey: 'O-17' }))).json).toMatchObject({
      outcome: 'kept',
      keptUntil: expect.any(String),
    });
    await work('counting', {});
    await work('packing', 'early');
    expect(await get(`runs/${run}/result?waitMs=30000`)).toMatchObject({ state: 'complete', output: 'early' });
    expect(await get(`runs/${run}/verify?when=quiescent`)).toEqual({ run, violations: [] });
  });

  it('counts one reply of two (B-29)', async () => {
    const { json } = await post('workflows/order/runs', { input: { n: 1 } });
    const { task, again } = await work('counting', { n: 'first' });
    expect((await again()).json).toEqual({ accepted: true }); // The same reply: the answer may have been lost.
    const { lease } = task.data;
    const second = await post(`work/${lease.attemptId}:reply`, {
      specversion: '1.0',
      id: `${lease.attemptId}:other`,
      source: '/spec/2',
      type: 'cairn.reply.succeeded.v1',
      data: { lease, output: { n: 'second' } },
    });
    expect(second.json).toEqual({ accepted: false, because: 'late' });
    const { path } = (await get(`runs/${String(json['runId'])}/state`)) as { path: { steps: { count: { output: unknown } } } };
    expect(path.steps.count.output).toEqual({ n: 'first' });
  });

  const refusals: readonly {
    readonly what: string;
    readonly path: string;
    readonly body: unknown;
    readonly status: number;
    readonly code: string;
    readonly pointer?: string;
  }[] = [
    {
      what: 'an input that its schema refuses',
      path: 'workflows/order/runs',
      body: { input: { n: 'three' } },
      status: 422,
      code: 'input_invalid',
      pointer: '/input/n',
    },
    { what: 'an unknown workflow', path: 'workflows/nothing/runs', body: {}, status: 404, code: 'workflow_not_found' },
    {
      what: 'an event that has come too far',
      path: 'events',
      body: event('hops', 'shop.loop', { cairnhops: 17 }),
      status: 400,
      code: 'invalid_body',
      pointer: '/cairnhops',
    },
    {
      what: 'binary data',
      path: 'events',
      body: event('bin', 'shop.bin', { data_base64: 'AA==' }),
      status: 400,
      code: 'event_invalid',
      pointer: '/data_base64',
    },
  ];
  it.each(refusals)('refuses $what as $code', async ({ path, body, status, code, pointer }) => {
    const got = await post(path, body);
    expect({ status: got.status, code: got.json['code'] }).toEqual({ status, code });
    if (pointer !== undefined) expect((got.json['errors'] as readonly JsonObject[]).map((error) => error['pointer'])).toContain(pointer);
  });

  it('keeps a version what it was, and gives every fault of a definition (B-23)', async () => {
    expect((await put('definitions/order', DEFINITION)).status).toBe(200);
    const other = await put('definitions/order', { ...DEFINITION, goal: 'another' });
    expect([other.status, other.json['code']]).toEqual([409, 'version_conflict']);
    const broken = await put('definitions/broken', {
      cairn: 1,
      name: 'broken',
      version: '1.0.0',
      steps: [
        { id: 'a', task: { queue: 'q' }, after: ['b'] },
        { id: 'b', task: { queue: 'Q!' }, after: ['a'] },
      ],
    });
    expect(broken.status).toBe(422);
    expect((broken.json['errors'] as readonly unknown[]).length).toBeGreaterThan(1);
    expect(await get('definitions/order')).toMatchObject({
      version: '1.0.0',
      hash: expect.stringMatching(/^sha256:/),
      definition: { name: 'order' },
    });
  });

  it('shows nothing of one namespace in another', async () => {
    const response = await fetch(`${server.url}/v1/acme/runs`, { headers: { authorization: `Bearer ${server.token}` } });
    expect(await response.json()).toEqual({ items: [] });
  });

  it('tells its metrics and that no bug was met', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/cairn_runs\{ns="default",workflow="order",state="complete"\} [1-9]/);
    expect(text.match(/^cairn_bugs_total.*$/gm)?.every((line) => line.endsWith(' 0'))).toBe(true);
    expect(text.match(/^cairn_\w+\{.*kind="bug".*$/gm)?.every((line) => line.endsWith(' 0'))).toBe(true);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ ready: true });
  });

  it('writes what others need to find it, and nothing that others may read', async () => {
    expect(JSON.parse(await readFile(join(data, 'server.json'), 'utf8'))).toEqual({ url: server.url, pid: process.pid, ns: 'default' });
    expect((await readFile(join(data, 'token'), 'utf8')).trim()).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(join(data, 'token'))).mode & 0o777).toBe(0o600);
  });

  it('refuses a folder that another server has', async () => {
    const second = startStandalone({ data, port: 0, logLevel: 'silent' });
    const refusal = second.then(
      (started) => started.stop(), // Without the lock there would be two: they must not outlive the spec.
      (error: unknown) => error,
    );
    expect(await refusal).toMatchObject({ code: 'data_locked' });
  });

  it('goes on after a stop with the same token and the same runs', async () => {
    const before = await get('runs?limit=200');
    const { token } = server;
    await server.stop();
    server = await startStandalone({ data, port: 0, ns: ['default', 'acme'], logLevel: 'silent' });
    expect(server.token).toBe(token);
    for (const { run } of before['items'] as readonly { run: string }[]) expect(await get(`runs/${run}`)).toMatchObject({ run });
  });
});

describe('a start that cannot be', () => {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'cairn-standalone-'));
  });
  afterAll(() => rm(data, { recursive: true }));

  it('names every fault of its configuration', async () => {
    const start = startStandalone({ data: '', port: 70_000, host: '0.0.0.0', ns: 'A.b' });
    await expect(start).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/data: .*port: .*host: .*loopback.*ns: /s),
    });
  });

  it('refuses a data folder that cannot be made or is none, in one sentence', async () => {
    for (const folder of ['/proc/no-such-folder', import.meta.filename]) {
      await expect(startStandalone({ data: folder, port: 0, logLevel: 'silent' })).rejects.toMatchObject({ code: 'config_invalid' });
    }
  });

  it('says when the port is taken, and leaves the folder free', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(startStandalone({ data, port, logLevel: 'silent' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => taken.close(resolve));
    await writeFile(join(data, 'token'), 'torn'); // As a crash may leave it.
    const server = await startStandalone({ data, port, logLevel: 'silent' });
    expect(server.url).toBe(`http://127.0.0.1:${port}`);
    expect(server.token).toMatch(/^[0-9a-f]{64}$/);
    await server.stop();
  });
});
