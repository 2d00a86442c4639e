// Goal: each small example does what its README says. Method: the files of the example, the command line, one server.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun, waitUntil } from '@cairn/testkit';
import { root, Spawned, startServer } from './processes.js';

const PATIENCE_MS = 30_000;

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
          'the run is blocked',
          async () => {
            const { body } = await cairn<{ state: string; sub?: string }>('run', 'show', bad.runId);
            return body.state === 'blocked' ? body : undefined;
          },
          PATIENCE_MS,
        );
        expect(view).toMatchObject({ state: 'blocked', sub: 'awaiting_decision' });
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
});
