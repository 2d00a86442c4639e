// Goal: each small example does what its README says. Method: the files of the example, the command line, one server.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RetryView, WhyView } from '@cairn/contracts';
import { notRun, waitUntil } from '@cairn/testkit';
import { root, Spawned, startServer } from './processes.js';

const PATIENCE_MS = 60_000;

describe('examples', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-examples-'));
  const data = join(folder, 'data');
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeAll(async () => {
    server = await startServer(data);
  }, PATIENCE_MS);
  afterAll(async () => {
    await server.process.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  /** `npx cairn … --json` as a process of its own. */
  const cairn = async <T>(...args: string[]): Promise<{ readonly code: number | null; readonly body: T }> => {
    const child = spawn(process.execPath, ['services/cli/bin/cairn.js', ...args, '--json'], {
      cwd: root,
      env: { ...process.env, CAIRN_DATA: data },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, body: JSON.parse(out) as T };
  };

  it(
    'hello-wait: a near miss wakes nobody, the bell does, and the run ends with the greeting',
    async () => {
      const handlers = Spawned.start(join(root, 'examples/hello-wait/handlers.mjs'), [], { CAIRN_DATA: data });
      expect(await handlers.firstLine).toMatch(/^ready, session /);
      try {
        expect((await cairn('def', 'apply', 'examples/hello-wait/workflow.yaml')).code).toBe(0);
        const { body: started } = await cairn<{ runId: string }>('run', 'start', 'hello-wait', '--key', 'ana', '--input', '{"name":"Ana"}');
        await waitUntil(
          'the run waits',
          async () => (await cairn<{ state: string }>('run', 'show', started.runId)).body.state === 'waiting',
          PATIENCE_MS,
        );
        expect(await cairn('event', 'send', '--type', 'house.bell.rang', '--key', 'ana')).toMatchObject({
          code: 0,
          body: { outcome: 'near_miss', nearMisses: [{ clause: 'key', expected: 'Ana', got: 'ana' }] },
        });
        expect(await cairn('event', 'send', '--type', 'house.bell.rang', '--key', 'Ana')).toMatchObject({ body: { outcome: 'woke' } });
        const ended = await cairn('run', 'start', 'hello-wait', '--key', 'ana', '--input', '{"name":"Ana"}', '--wait');
        expect(ended).toMatchObject({ code: 0, body: { run: started.runId, outcome: 'succeeded', output: 'Hello, Ana!' } });
      } finally {
        await handlers.kill('SIGTERM');
      }
      expect(await handlers.exited).toMatchObject({ code: 0 });
    },
    2 * PATIENCE_MS,
  );

  it(
    'python-handler: works, and fails in a way that a person sees',
    async () => {
      if (spawnSync('python3', ['--version']).status !== 0) return notRun('python-handler', 'needs python3; apt-get install python3');
      const env = { ...process.env, CAIRN_URL: server.url, CAIRN_TOKEN: readFileSync(join(data, 'token'), 'utf8').trim() };
      const python = spawn('python3', ['examples/python-handler/handler.py'], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
      const gone = new Promise((resolve) => python.once('exit', resolve));
      try {
        expect((await cairn('def', 'apply', 'examples/python-handler/workflow.yaml')).code).toBe(0);
        const good = await cairn('run', 'start', 'screen-vendor', '--key', 'V-7', '--input', '{"name":"Brightwater"}', '--wait');
        expect(good).toMatchObject({ code: 0, body: { outcome: 'succeeded', output: { by: expect.stringMatching(/^python 3/) } } });
        const { body: bad } = await cairn<{ runId: string }>('run', 'start', 'screen-vendor', '--key', 'V-8', '--input', '{"name":""}');
        const view = await waitUntil(
          'people are asked',
          async () => {
            const { body } = await cairn<{ state: string; sub?: string }>('run', 'show', bad.runId);
            return body.state === 'escalated' ? body : undefined;
          },
          PATIENCE_MS,
        );
        expect(view).toMatchObject({ state: 'escalated', sub: 'recovery' });
        const { body } = await cairn<{ branches: { events: { type: string; data: object }[] }[] }>('run', 'history', bad.runId);
        expect(body.branches[0]?.events.find(({ type }) => type === 'StepFailed')?.data).toMatchObject({
          failure: { by: 'handler', code: 'ValueError', message: 'a vendor has a name' },
        });
      } finally {
        python.kill();
        await gone;
      }
    },
    2 * PATIENCE_MS,
  );

  it(
    'pay-once: refused twice with reasons, killed between booking and reply, and booked once; what nobody recognises waits for a person',
    async () => {
      const book = join(folder, 'booked.txt');
      const booked = (): readonly string[] => (existsSync(book) ? readFileSync(book, 'utf8').trimEnd().split('\n') : []);
      const start = (): Spawned => Spawned.start(join(root, 'examples/pay-once/handlers.mjs'), [], { CAIRN_DATA: data, BOOKED_IN: book });
      let handlers = start();
      try {
        expect(await handlers.firstLine).toMatch(/^ready, process \d+/);
        expect(await cairn('policy', 'apply', 'examples/pay-once/policy.yaml')).toMatchObject({ code: 0, body: { outcome: 'applied' } });
        expect((await cairn('def', 'apply', 'examples/pay-once/workflow.yaml')).code).toBe(0);
        const order = ['run', 'start', 'pay-once', '--key', 'B-7', '--input', '{"order":"B-7","cents":1850}'];
        const { body: started } = await cairn<{ runId: string }>(...order);
        const run = started.runId;

        await waitUntil('it is booked', () => booked().length > 0, PATIENCE_MS);
        await handlers.kill('SIGKILL');
        handlers = start();
        expect(await cairn(...order, '--wait')).toMatchObject({ code: 0, body: { run, output: { booking: 1, cents: 1850 } } });
        expect(booked()).toEqual(['order:B-7:payment 1850']);

        const { body: retries } = await cairn<{ items: readonly RetryView[] }>('retry', 'explain', run);
        const decided = { decision: 'retry', policy: { name: 'gentle', version: 1 } };
        const refused = {
          step: 'quote',
          decided: {
            ...decided,
            bucket: 'rate_limited',
            justification: { rule: 'gentle@1#rate_limited', expectedChange: 'provider_reset' },
          },
        };
        const lost = {
          step: 'pay',
          decided: {
            ...decided,
            bucket: 'handler_lost',
            justification: { rule: 'gentle@1#handler_lost', expectedChange: 'another_handler' },
          },
        };
        expect(retries.items).toMatchObject([refused, refused, lost]);
        for (const { failedAt, decided } of retries.items.slice(0, 2))
          expect(Date.parse(decided?.notBefore ?? '') - Date.parse(failedAt)).toBeGreaterThanOrEqual(1_000);
        expect(await cairn('effect', 'list', run)).toMatchObject({ body: { items: [{ key: 'order:B-7:payment', status: 'confirmed' }] } });
        const told = ['EffectIntended', 'EffectUnknown', 'EffectIntended', 'EffectConfirmed'].map((event) => ({ event }));
        expect(await cairn('effect', 'show', run, 'order:B-7:payment')).toMatchObject({
          code: 0,
          body: { status: 'confirmed', history: told },
        });

        const { body: bad } = await cairn<{ runId: string }>(
          'run',
          'start',
          'pay-once',
          '--key',
          'B-8',
          '--input',
          '{"order":"B-8","cents":0}',
        );
        const why = await waitUntil(
          'people are asked',
          async () => {
            const { body } = await cairn<WhyView>('why', bad.runId);
            return body.state === 'escalated' ? body : undefined;
          },
          PATIENCE_MS,
        );
        expect(why).toMatchObject({ sub: 'recovery', because: [{ kind: 'escalated', step: 'quote', queue: 'triage' }] });
        expect(why.says).toContain('for people of queue triage to decide "What becomes of quote? Attempt 1 failed, judged unclassified');
        expect(why.says).toContain('it offers retry_modified, retry, give_up');
        expect(why.next).toMatch(/^npx cairn review show /);
        expect(booked()).toHaveLength(1);
      } finally {
        await handlers.kill('SIGTERM');
      }
    },
    3 * PATIENCE_MS,
  );

  /** Waits until a run is what it should be, and shows it. */
  const runIs = (what: string, run: string, fits: (view: Shown) => boolean): Promise<Shown> =>
    waitUntil(
      what,
      async () => {
        const { body } = await cairn<Shown>('run', 'show', run);
        return fits(body) ? body : undefined;
      },
      PATIENCE_MS,
    );
  const branches = async (run: string): Promise<readonly { readonly branch: string; readonly opened?: { readonly cause: string } }[]> =>
    (await cairn<{ branches: readonly { readonly branch: string; readonly opened?: { readonly cause: string } }[] }>('branch', 'tree', run))
      .body.branches;

  it(
    'research-agent: retried with reasons, searched by another tool where the first is gone, answered with less where nothing may be read',
    async () => {
      const start = (...broken: string[]): Spawned =>
        Spawned.start(join(root, 'examples/research-agent/handlers.mjs'), broken, { CAIRN_DATA: data });
      const ask = (key: string) =>
        cairn<{ readonly run: string; readonly outcome: string; readonly output: { readonly answer: string } }>(
          'run',
          'start',
          'research-agent',
          '--key',
          key,
          '--input',
          '{"topic":"tidal energy"}',
          '--wait',
        );
      let handlers = start();
      try {
        expect(await handlers.firstLine).toMatch(/^ready/);
        expect((await cairn('policy', 'apply', 'examples/research-agent/policy.yaml')).code).toBe(0);
        expect((await cairn('def', 'apply', 'examples/research-agent/workflow.yaml')).code).toBe(0);
        const good = await ask('R-1');
        expect(good).toMatchObject({ code: 0, body: { outcome: 'succeeded' } });
        const { body: retries } = await cairn<{ items: readonly RetryView[] }>('retry', 'explain', good.body.run);
        expect(retries.items.map(({ decided }) => [decided?.bucket, decided?.decision])).toEqual([
          ['rate_limited', 'retry'],
          ['upstream_5xx', 'retry'],
        ]);
        await handlers.kill('SIGTERM');

        handlers = start('search-down', 'reader-down');
        expect(await handlers.firstLine).toMatch(/broken: search-down, reader-down/);
        const less = await ask('R-4');
        expect(less).toMatchObject({
          body: { outcome: 'reduced', output: { answer: 'tidal energy: Tides and turbines; Costs of tidal power' } },
        });
        expect((await branches(less.body.run)).map(({ opened }) => opened?.cause)).toEqual([undefined, 'fallback', 'reduced_scope']);
        const { body: whole } = await cairn<{ violations: readonly unknown[] }>('run', 'verify', less.body.run, '--when', 'quiescent');
        expect(whole.violations).toEqual([]);
      } finally {
        await handlers.kill('SIGTERM');
      }
    },
    3 * PATIENCE_MS,
  );

  it(
    'incident-remediation: passed up when nobody takes it, done as approved and once though the handler dies, and a silent monitor is overruled',
    async () => {
      const production = join(folder, 'production.log');
      const done = (): readonly string[] => (existsSync(production) ? readFileSync(production, 'utf8').trimEnd().split('\n') : []);
      const start = (): Spawned =>
        Spawned.start(join(root, 'examples/incident-remediation/handlers.mjs'), [], { CAIRN_DATA: data, PRODUCTION_LOG: production });
      let handlers = start();
      try {
        expect(await handlers.firstLine).toMatch(/^ready, process \d+/);
        expect((await cairn('policy', 'apply', 'examples/incident-remediation/policy.yaml')).code).toBe(0);
        expect((await cairn('def', 'apply', 'examples/incident-remediation/workflow.yaml')).code).toBe(0);
        const alert = ['event', 'send', '--type', 'alert.fired', '--data', '{"incident":"I-1","service":"checkout"}'];
        const { body: fired } = await cairn<{ readonly runs: readonly { readonly run: string }[] }>(...alert);
        const run = fired.runs[0]?.run ?? '';
        await runIs('the review is passed up', run, ({ state }) => state === 'escalated');
        const { body: inbox } = await cairn<{ readonly items: readonly { readonly review: string; readonly run: string }[] }>(
          'review',
          'inbox',
        );
        const review = inbox.items.find((one) => one.run === run)?.review ?? '';
        expect((await cairn('review', 'claim', review)).code).toBe(0);
        const edits = '[{"op":"replace","path":"/action","value":"roll-back"}]';
        expect((await cairn('review', 'decide', review, 'edit', '--edits', edits, '--reason', 'the release is the cause')).code).toBe(0);

        await waitUntil('it is done', () => done().length > 0, PATIENCE_MS);
        await handlers.kill('SIGKILL');
        handlers = start();
        await runIs('the run waits for the monitor', run, ({ state }) => state === 'waiting');
        expect(done()).toEqual(['incident:I-1:remediation roll-back checkout']);
        expect(await cairn('effect', 'show', run, 'incident:I-1:remediation')).toMatchObject({ body: { status: 'confirmed' } });

        const { body: waits } = await cairn<{ readonly items: readonly { readonly wait: string; readonly state: string }[] }>(
          'wait',
          'list',
          '--run',
          run,
        );
        const wait = waits.items.find(({ state }) => state === 'open')?.wait ?? '';
        expect(await cairn('wait', 'preview', wait)).toMatchObject({ code: 0, body: { next: [{ step: 'report', does: 'starts' }] } });
        const longer = ['wait', 'reschedule', wait, '--deadline', '2h', '--reason', 'the monitor is slow today'];
        expect((await cairn(...longer)).code).toBe(0);
        expect(await cairn('why', run, '--not')).toMatchObject({ code: 0, body: { not: [{ step: 'recovered' }] } });
        expect(await cairn('wait', 'fire', wait, '--reason', 'checked by hand')).toMatchObject({ code: 0, body: { branch: 'b2' } });
        await runIs('the run is complete', run, ({ state }) => state === 'complete');
        expect((await branches(run)).map(({ opened }) => opened?.cause)).toEqual([undefined, 'override']);

        const undo = ['effect', 'compensate', run, 'incident:I-1:remediation', '--reason', 'the release was not the cause'];
        expect((await cairn(...undo)).code).toBe(0);
        await waitUntil('it is undone', () => done().length === 2, PATIENCE_MS);
        const whole = () => cairn<{ violations: readonly unknown[] }>('run', 'verify', run, '--when', 'quiescent');
        await waitUntil('the history is whole', async () => (await whole()).body.violations.length === 0, PATIENCE_MS);
      } finally {
        await handlers.kill('SIGTERM');
      }
    },
    3 * PATIENCE_MS,
  );
});

interface Shown {
  readonly state: string;
  readonly sub?: string;
}
