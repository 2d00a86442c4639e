// Goal: the same runs with a process for each service and a real nats-server between them (issue: the bus). Method: the stack as
// `npm run stack` starts it, spoken to as users do, looked at as Prometheus does, ended as Kubernetes does.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { idOf, PARTITIONS, partitionOf } from '@cairn/kernel';
import { findNatsServer, notRun, RunningNats, Spawned, waitUntil } from '@cairn/testkit';
import { root, startServer } from './processes.js';
import { startStack, type Stack } from './stack.js';

const found = findNatsServer();
const LIMIT_MS = 300_000;
const SERVICES = ['execution', 'execution-2', 'scheduling', 'retry-policy', 'human-review'] as const;
const REPLICAS = ['execution', 'execution-2'] as const;
const binOf = (service: string): string => join(root, `services/${service}/bin/${service}.js`);

describe('the stack', () => {
  if ('missing' in found) return it('needs a nats-server', () => notRun('the stack', found.missing));

  let stack: Stack & { dispose(): Promise<void> };
  beforeAll(async () => {
    stack = await startStack(found.path, { replicas: 2 });
  }, LIMIT_MS);
  afterAll(() => stack.dispose(), LIMIT_MS);

  it(
    'takes a run from its event to its end, with a handler of the SDK, and the history is whole',
    async () => {
      expect(await stack.cairn('def', 'apply', join(root, 'examples/hello-wait/workflow.yaml'))).toMatchObject({ code: 0 });
      const handler = stack.spawn('handler', [join(root, 'examples/hello-wait/handlers.mjs')]);
      await handler.said((line) => (line.startsWith('ready') ? true : undefined));
      const started = await stack.http<{ runId: string }>('POST', 'workflows/hello-wait/runs', { key: 'ana', input: { name: 'Ana' } });
      expect(started.status).toBe(202);
      const run = started.json.runId;
      expect((await stack.cairn('event', 'send', '--type', 'house.bell.rang', '--key', 'Ana')).code).toBe(0);
      const result = await stack.http('GET', `runs/${run}/result?waitMs=30000`);
      expect(result.json).toEqual({ run, state: 'complete', outcome: 'succeeded', output: 'Hello, Ana!' });
      expect((await stack.cairn('run', 'verify', run, '--when', 'quiescent')).code).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    'gives a handler a link that the gateway knows, by whichever replica, and takes its use once (C-WAITKINDS, B-30)',
    async () => {
      const steps = [
        { id: 'mail', task: { queue: 'mails' }, input: { link: '${callbacks.answer.portal}' } },
        { id: 'answer', wait: { any: [{ callback: { name: 'portal' } }], deadline: '1h', onDeadline: { value: 'none' } } },
      ];
      const definition = { cairn: 1, name: 'ask', version: '1.0.0', steps, output: { value: '${steps.answer.output.data}' } };
      expect((await stack.http('PUT', 'definitions/ask', definition)).status).toBe(201);
      expect(await stack.applyBus()).toBeDefined();
      for (const key of ['a', 'b', 'c', 'd']) {
        const { runId } = (await stack.http<{ runId: string }>('POST', 'workflows/ask/runs', { key, input: {} })).json;
        const { tasks } = (
          await stack.http<{ tasks: readonly { data: { input: { link: string }; lease: { attemptId: string } } }[] }>(
            'POST',
            'work/mails:poll',
            { max: 1, waitMs: 30_000 },
          )
        ).json;
        const { input, lease } = tasks[0]?.data ?? { input: { link: '' }, lease: { attemptId: '' } };
        const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec/1', type: 'cairn.reply.succeeded.v1' };
        await stack.http('POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, output: null } });
        const use = (token: string): Promise<Response> =>
          fetch(`${stack.url}/v1/callbacks/${token}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ key }),
          });
        expect((await use(`${input.link.slice(0, -1)}`)).status).toBe(404);
        const uses = await Promise.all([use(input.link), use(input.link)]);
        expect(uses.map(({ status }) => status)).toEqual([202, 202]);
        const result = await stack.http('GET', `runs/${runId}/result?waitMs=30000`);
        expect(result.json).toEqual({ run: runId, state: 'complete', outcome: 'succeeded', output: { key } });
        expect((await stack.cairn('run', 'verify', runId, '--when', 'quiescent')).code).toBe(0);
      }
    },
    LIMIT_MS,
  );

  it(
    'is ready, and tells of its machinery what promtool takes',
    async () => {
      const promtool = spawnSync('promtool', ['--version']).status === 0;
      for (const name of SERVICES) {
        const { metrics } = stack.said.get(name) ?? { metrics: '' };
        const ready = await fetch(`${metrics}/readyz`);
        expect({ name, status: ready.status, body: await ready.json() }).toEqual({
          name,
          status: 200,
          body: { ready: true, parts: { store: 'ready', bus: 'ready' } },
        });
        const text = await (await fetch(`${metrics}/metrics`)).text();
        for (const metric of ['cairn_append_duration_seconds', 'cairn_deliveries_total', 'cairn_bus_probe_seconds', 'cairn_bus_info'])
          expect(text).toContain(`# TYPE ${metric} `);
        expect(text).toMatch(/cairn_bus_info\{server="\d+\.\d+\.\d+"/);
        expect(text).not.toContain('cairn_runs{'); // The gateway alone tells of runs.
        if (promtool) expect(lintOf(text)).toEqual({ status: 0, stderr: '', stdout: '' });
      }
      const lifecycle = await waitUntil('the lists of the gateway have the run', async () => {
        const text = await (await fetch(`${stack.url}/metrics`)).text();
        return /cairn_runs\{.*state="complete"\} 1/.test(text) ? text : undefined;
      });
      if (promtool) expect(lintOf(lifecycle)).toEqual({ status: 0, stderr: '', stdout: '' });
      else notRun('promtool check metrics on the stack', 'needs promtool; apt-get install prometheus');
    },
    LIMIT_MS,
  );

  it(
    'shares the work: each of two replicas does 30 to 70 % of the steps',
    async () => {
      const steps = Array.from({ length: 5 }, (_, n) => ({ id: `s${n}`, task: { queue: 'greeting' }, input: { name: '${run.key}' } }));
      expect((await stack.http('PUT', 'definitions/share', { cairn: 1, name: 'share', version: '1.0.0', steps })).status).toBe(201);
      const before = await Promise.all(REPLICAS.map(appendsOf));
      const started = await Promise.all(
        oneKeyAPartition('share').map((key) => stack.http<{ runId: string }>('POST', 'workflows/share/runs', { key, input: {} })),
      );
      for (const { json } of started)
        expect((await stack.http('GET', `runs/${json.runId}/result?waitMs=30000`)).json).toMatchObject({ outcome: 'succeeded' });
      const [one = 0, other = 0] = (await Promise.all(REPLICAS.map(appendsOf))).map((after, i) => after - (before[i] ?? 0));
      expect(one + other).toBeGreaterThanOrEqual(PARTITIONS * steps.length);
      for (const share of [one, other].map((appends) => appends / (one + other))) {
        expect(share).toBeGreaterThan(0.3);
        expect(share).toBeLessThan(0.7);
      }
    },
    LIMIT_MS,
  );

  /** Appends of one process, as it tells them itself. */
  async function appendsOf(name: string): Promise<number> {
    const text = await (await fetch(`${stack.said.get(name)?.metrics}/metrics`)).text();
    return Number(/^cairn_append_duration_seconds_count\{[^}]*outcome="appended"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  it(
    'goes on while any one service is killed and started again (P-2)',
    async () => {
      for (const name of [...SERVICES, 'gateway']) {
        const key = `after-${name}`;
        const { json } = await stack.http<{ runId: string }>('POST', 'workflows/hello-wait/runs', { key, input: { name: key } });
        await stack.kill(name);
        await stack.start(name);
        await stack.http('POST', 'events', {
          specversion: '1.0',
          id: `bell-${name}`,
          source: '/spec',
          type: 'house.bell.rang',
          cairnkey: key,
        });
        const result = await stack.http('GET', `runs/${json.runId}/result?waitMs=30000`);
        expect(result.json).toMatchObject({ state: 'complete', output: `Hello, ${key}!` });
      }
    },
    LIMIT_MS,
  );

  it(
    'drains on SIGTERM: each service ends with 0, within 25 s (F-47)',
    async () => {
      const began = performance.now();
      const ends = await Promise.all(SERVICES.map(async (name) => stack.processes.get(name)?.end()));
      expect(ends).toEqual(SERVICES.map(() => 0));
      expect(performance.now() - began).toBeLessThan(25_000);
      await Promise.all(SERVICES.map((name) => stack.start(name)));
      await waitUntil('execution is ready again', async () => {
        const { metrics } = stack.said.get('execution') ?? { metrics: '' };
        return (await fetch(`${metrics}/readyz`)).ok || undefined;
      });
    },
    LIMIT_MS,
  );
});

describe('the command line of the stack', () => {
  const stack = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/stack/main.mjs'), ...args], options);
    return { status, stdout, stderr };
  };

  it('says how it is used, and what is wrong with it, without any password', () => {
    expect(stack(['--help'])).toEqual({ status: 0, stdout: expect.stringContaining('--event-store <name>') as unknown, stderr: '' });
    expect(stack(['--nonsense'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^stack: Unknown option '--nonsense'\n/) as unknown,
    });
    expect(stack(['--port', 'x'])).toMatchObject({ status: 2, stderr: 'stack: --port must be a whole number from 0 to 65535\n' });
    const inEnvironment = stack([], { CAIRN_EVENT_STORE: 'esdb://me:hush@127.0.0.1:2113?tls=maybe' });
    expect(inEnvironment).toMatchObject({ status: 2, stderr: expect.stringMatching(/^stack: CAIRN_EVENT_STORE: option tls /) as unknown });
    const wrongPlace = stack(['esdb://me:hush@127.0.0.1:2113']);
    expect(wrongPlace.status).toBe(2);
    expect(inEnvironment.stderr + wrongPlace.stderr).not.toContain('hush');
  });
});

describe('the folder of a stack', () => {
  if ('missing' in found) return it('needs a nats-server', () => notRun('the folder of a stack', found.missing));
  const load = (name: string): Promise<unknown> => import(pathToFileURL(join(root, 'tools/stack', name)).href);
  let data: string;
  beforeEach(() => void (data = mkdtempSync(join(tmpdir(), 'cairn-folder-'))));
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  it(
    'is of one: a second is told folder and process, and ends with 78; so is whoever finds a `cairn dev` there',
    async () => {
      const { takeFolder } = (await load('folder.mjs')) as { takeFolder(folder: string): { release(): void } };
      const first = takeFolder(data);
      const second = Spawned.start(join(root, 'tools/stack/main.mjs'), ['--data', data], { CAIRN_NATS_SERVER: found.path });
      expect(await second.exited).toEqual({ code: 78, signal: null });
      expect(second.stderr).toBe(
        `stack: another stack has the folder ${data} (process ${process.pid}); stop it, or give --data another folder\n`,
      );
      first.release();
      const dev = await startServer(data);
      try {
        expect(() => takeFolder(data)).toThrow(`a \`cairn dev\` has the folder ${data} (process ${dev.process.child.pid})`);
      } finally {
        await dev.process.kill('SIGTERM');
      }
      takeFolder(data).release();
    },
    LIMIT_MS,
  );

  it('is free when the stack that had it was killed, and what outlived it has ended', async () => {
    const { StackNats } = (await load('nats.mjs')) as { StackNats: new (options: object) => StackNats };
    const file = pathToFileURL(join(root, 'tools/stack/folder.mjs')).href;
    const nats = (folder: string) => new StackNats({ path: found.path, folder: join(folder, 'nats') });
    const link = join(data, 'link');
    symlinkSync(data, link);
    const code = `(await import(${JSON.stringify(file)})).takeFolder(${JSON.stringify(data)}); console.log('taken'); setInterval(() => {}, 1_000);`;
    const killed = Spawned.start('--input-type=module', ['--eval', code]);
    await killed.firstLine;
    const [leftOver, again] = [nats(data), nats(link)]; // One folder, whatever it is called.
    await leftOver.start();
    await killed.kill('SIGKILL');

    const { takeFolder } = (await load('folder.mjs')) as { takeFolder(folder: string): { release(): void } };
    const taken = takeFolder(data);
    await again.start();
    expect(leftOver.process.isRunning).toBe(false);
    await again.end();
    taken.release();
  });

  it.each([
    ['the port of nats-server', ['--nats-port', 'taken'], /^stack: nats-server cannot have port \d+ \(address already in use\);/m],
    [
      'the file of certificates',
      ['--event-store', 'esdb://127.0.0.1:1?tlsCAFile=/nowhere/ca.crt'],
      /^stack: CAIRN_EVENT_STORE: .*certificate file/m,
    ],
    ['an event store', [], /^stack: .*not a database/m],
  ])(
    'ends with 78 where it does not get %s',
    async (_, args, says) => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      writeFileSync(join(data, 'events.db'), 'no database'.repeat(1_000));
      const own = ['--data', data, '--port', '0', ...(args.includes('--nats-port') ? [] : ['--nats-port', '0'])];
      const given = args.map((arg) => (arg === 'taken' ? String(port) : arg));
      const stack = Spawned.start(join(root, 'tools/stack/main.mjs'), [...own, ...given], { CAIRN_NATS_SERVER: found.path });
      try {
        expect({ exit: await stack.exited, stderr: stack.stderr }).toEqual({
          exit: { code: 78, signal: null },
          stderr: expect.stringMatching(says) as unknown,
        });
      } finally {
        taken.close();
      }
    },
    LIMIT_MS,
  );
});

interface StackNats {
  readonly process: { readonly isRunning: boolean };
  start(): Promise<unknown>;
  end(): Promise<void>;
}

describe('a service', () => {
  it('of a stack ends with it, though nobody could tell it', async () => {
    const withParent = pathToFileURL(join(root, 'tools/stack/with-parent.mjs')).href;
    const code = "console.log('up'); setInterval(() => {}, 1_000);";
    const child = spawn(process.execPath, ['--import', withParent, '--eval', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    child.stdin.destroy(); // As the system does it to a process that is gone.
    expect(await exited).toEqual([null, 'SIGTERM']);
  });

  it('says everything that is wrong with its configuration at once, and ends with 78', async () => {
    const service = Spawned.start(binOf('scheduling'), ['--json'], {
      CAIRN_NATS_URL: 'http://nowhere',
      CAIRN_NS: 'Not A Namespace',
      CAIRN_METRICS_PORT: '99999',
      CAIRN_EVENT_STORE: 'esdb://me:hush@127.0.0.1:2113?tls=maybe',
    });
    expect(await service.exited).toEqual({ code: 78, signal: null });
    for (const name of ['CAIRN_NATS_URL', 'CAIRN_NS', 'CAIRN_METRICS_PORT', 'CAIRN_EVENT_STORE']) expect(service.stderr).toContain(name);
    expect(service.stderr).not.toContain('hush');
  });

  it(
    'binds and never creates: where the bus is not as the contract says it names the command, and ends with 78',
    async () => {
      if ('missing' in found) return notRun('a service on a bus that was not applied', found.missing);
      const nats = await RunningNats.start(found.path);
      const data = mkdtempSync(join(tmpdir(), 'cairn-bare-'));
      try {
        for (const service of ['execution', 'scheduling', 'retry-policy']) {
          const process_ = Spawned.start(binOf(service), ['--json'], { CAIRN_NATS_URL: nats.url, CAIRN_DATA: data });
          expect({ service, exit: await process_.exited }).toEqual({ service, exit: { code: 78, signal: null } });
          expect(process_.stderr).toContain('npx cairn bus apply');
        }
      } finally {
        await nats.dispose();
        rmSync(data, { recursive: true, force: true });
      }
    },
    LIMIT_MS,
  );
});

/** Keys whose runs lie in each partition once: what is shared then is the partitions, not chance of the keys. */
function oneKeyAPartition(workflow: string): string[] {
  const keys = new Map<number, string>();
  for (let n = 0; keys.size < PARTITIONS; n++) keys.set(partitionOf(idOf('run', 'default', workflow, `k-${n}`)), `k-${n}`);
  return [...keys.values()];
}

function lintOf(text: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return { status, stdout, stderr };
}
