// Goal: the services, the SDK, the command line and a publisher do all that they must as users of the shipped permissions
// (`reliability.md` §6.1), and the server refuses none of them anything. Method: the stack on a server with `deploy/nats`, each process
// with its own nkey; a run that waits, fails once, is retried, claims an effect and emits; then the server's own log.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connectNats } from '@cairn/bus-jetstream';
import { handlerUser, publisherUser, serviceUsers, subjects } from '@cairn/contracts';
import { idOf } from '@cairn/kernel';
import { findNatsServer, notRun, PATIENCE_MS, SecuredNats, wallClock, waitUntil } from '@cairn/testkit';
import { root, Spawned } from './processes.js';
import type { Stack } from './stack.js';

const LIMIT_MS = 300_000;
const handlers = handlerUser('default');
const publisher = publisherUser('default', ['start', 'signal']);
const users = [...serviceUsers, handlers, publisher];

const DEFINITION = `cairn: 1
name: guarded
version: 1.0.0
on:
  - event: guarded.asked
    key: "\${event.key}"
    input: { characters: "\${event.data.characters}" }
steps:
  - id: bell
    wait: { any: [{ event: { type: guarded.rang, key: "\${run.key}" } }], deadline: 1h, onDeadline: { fail: timeout } }
  - id: flaky
    task: { queue: flaky }
    input: { characters: "\${input.characters}" }
  - id: book
    purpose: a place is booked
    effect: { queue: booking, key: "place-\${run.key}", guarantee: none }
  - id: tell
    emit: { type: guarded.booked, data: { booked: "\${steps.book.output.booked}" } }
`;

const found = findNatsServer();

describe('the stack behind permissions', () => {
  if ('missing' in found) return it('needs a nats-server', () => notRun('the stack behind permissions', found.missing));

  let server: SecuredNats;
  let stack: Stack;
  let data: string;

  const envOf = (name: string): NodeJS.ProcessEnv => {
    const user = users.find((one) => one.name === name.replace(/-\d+$/, ''));
    return user === undefined ? {} : { CAIRN_NATS_NKEY_SEED_FILE: server.seedFile(user.name), CAIRN_NATS_INBOX_PREFIX: user.inboxPrefix };
  };

  beforeAll(async () => {
    server = await SecuredNats.start(
      found.path,
      users.map(({ name }) => name),
    );
    data = mkdtempSync(join(tmpdir(), 'cairn-secured-stack-'));
    const { Stack: Class } = (await import(pathToFileURL(join(root, 'tools/stack/stack.mjs')).href)) as {
      Stack: new (options: object) => Stack & { startAll(): Promise<void> };
    };
    // The command line of the stack is the administrator's; each service overrides it with its own.
    const made = new Class({ data, natsServer: found.path, replicas: 2, env: envOf('bus'), envOf });
    Object.assign(made, { nats: { url: server.url, start: () => Promise.resolve(), end: () => Promise.resolve() } });
    await made.startAll();
    stack = made;
  }, LIMIT_MS);
  afterAll(async () => {
    await stack.stop();
    await server.dispose();
    rmSync(data, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'takes a run through waits, retries, claims, large outputs and emits, and refuses nobody anything',
    async () => {
      const file = join(data, 'guarded.yaml');
      writeFileSync(file, DEFINITION);
      expect(await stack.cairn('def', 'apply', file)).toMatchObject({ code: 0, err: '' });
      const handler = stack.spawn('handler', [join(root, 'test/system/secured-handlers.mjs')], envOf(handlers.name));
      await handler.said((line) => (line.startsWith('ready') ? true : undefined));

      const outside = await connectNats({
        servers: server.url,
        name: 'publisher',
        clock: wallClock,
        randomness: { fraction: () => 0.5 },
        credentials: server.credentials(publisher.name),
        inboxPrefix: publisher.inboxPrefix,
      });
      const receipts = new Set<string>();
      outside.subscribe('cairn.default.evt.receipt.receipt-settled.*', {
        callback: (_, { subject }) => void receipts.add(subject.split('.').at(-1) ?? ''),
      });
      const send = async (type: string, id: string): Promise<void> => {
        const event = { specversion: '1.0', id, source: '/spec', type, cairnkey: 'ana', data: { characters: 100_000 } };
        await outside.request(subjects.inbound('default', type), JSON.stringify(event), { timeout: PATIENCE_MS });
        await waitUntil(`the receipt of ${type}`, () => receipts.has(idOf('receipt', 'default', '/spec', id)));
      };
      await send('guarded.asked', '1');
      await send('guarded.rang', '2');
      const run = await waitUntil('there is a run', async () => {
        const { json } = await stack.http<{ items: readonly { run: string }[] }>('GET', 'runs?workflow=guarded');
        return json.items[0]?.run;
      });
      const result = await stack.http<object>('GET', `runs/${run}/result?waitMs=30000`);
      expect(result.json).toMatchObject({ run, state: 'complete', outcome: 'succeeded' });
      expect(await stack.cairn('run', 'verify', run, '--when', 'quiescent')).toMatchObject({ code: 0 });
      await waitUntil(
        'what the run emitted has come in',
        async () =>
          (await stack.cairn('event', 'show', '--json', '--source', '/cairn/default/guarded', '--id', await emittedBy(run))).code === 0,
      );
      const doctor = JSON.parse((await stack.cairn('doctor', '--json')).out) as { findings: readonly { check: string; status: string }[] };
      expect(doctor.findings.filter(({ status }) => status === 'failed')).toEqual([]);

      await outside.close();
      expect(refused()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'brings the work of handlers that come by HTTP, and their replies',
    async () => {
      const steps = [{ id: 'a', task: { queue: 'by-http' } }];
      expect((await stack.http('PUT', 'definitions/plain', { cairn: 1, name: 'plain', version: '1.0.0', steps })).status).toBe(201);
      const started = await stack.http<{ runId: string }>('POST', 'workflows/plain/runs', { input: {} });
      interface Polled {
        readonly tasks: readonly { readonly data: { readonly lease: { readonly attemptId: string } } }[];
      }
      const { lease } = await waitUntil('a task is there', async () => {
        const { json } = await stack.http<Polled>('POST', 'work/by-http:poll', { max: 1, waitMs: 1_000 });
        return json.tasks[0]?.data;
      });
      const reply = { specversion: '1.0', id: `${lease.attemptId}:end`, source: '/spec', type: 'cairn.reply.succeeded.v1' };
      const answer = await stack.http('POST', `work/${lease.attemptId}:reply`, { ...reply, data: { lease, output: 1 } });
      expect(answer).toEqual({ status: 200, json: { accepted: true } });
      const result = await stack.http<object>('GET', `runs/${started.json.runId}/result?waitMs=30000`);
      expect(result.json).toMatchObject({ state: 'complete', outcome: 'succeeded' });
      expect(refused()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'goes on when a replica is gone, and still refuses nobody anything',
    async () => {
      await stack.kill('execution-2');
      const runs = Array.from({ length: 8 }, (_, i) => `key-${i}`);
      const started = await Promise.all(
        runs.map((key) => stack.http<{ runId: string }>('POST', 'workflows/guarded/runs', { key, input: { characters: 10 } })),
      );
      for (const key of runs) await stack.cairn('event', 'send', '--type', 'guarded.rang', '--key', key);
      for (const { json } of started) {
        const result = await stack.http<object>('GET', `runs/${json.runId}/result?waitMs=30000`);
        expect(result.json).toMatchObject({ state: 'complete', outcome: 'succeeded' });
      }
      expect(refused()).toEqual([]);
    },
    LIMIT_MS,
  );

  // The last case: what the server refuses here, it refuses.
  it(
    'names the variable where the prefix of the answers was forgotten, or is that of another',
    async () => {
      const start = (script: string, args: readonly string[], user: string, env: NodeJS.ProcessEnv = {}): Spawned => {
        const own = { CAIRN_NATS_URL: server.url, CAIRN_DATA: data, CAIRN_NATS_NKEY_SEED_FILE: server.seedFile(user) };
        return Spawned.start(join(root, script), args, { ...own, ...env });
      };
      for (const name of ['execution', 'gateway']) {
        const service = start(`services/${name}/bin/${name}.js`, ['--json'], name);
        expect({ name, exit: await service.exited }).toEqual({ name, exit: { code: 78, signal: null } });
        expect(service.stderr).toContain('CAIRN_NATS_INBOX_PREFIX: the nats-server lets this user hear no answers below _INBOX;');
      }
      const command = start('services/cli/bin/cairn.js', ['bus', 'apply'], 'bus', { CAIRN_NATS_INBOX_PREFIX: '_INBOX.gateway' });
      expect(await command.exited).toEqual({ code: 1, signal: null });
      expect(command.stderr).toContain('lets this user hear no answers below _INBOX.gateway.');
      expect(command.stderr).toContain('set CAIRN_NATS_INBOX_PREFIX to the prefix of the user');
    },
    LIMIT_MS,
  );

  /** What the server refused to anybody, but for what `cairn doctor` must be refused. */
  const refused = (): readonly string[] => server.nats.logged(/violation/i).filter((line) => !line.includes('cairn-doctor.forbidden'));

  async function emittedBy(run: string): Promise<string> {
    interface History {
      readonly branches: readonly { readonly events: readonly { readonly type: string; readonly data: { readonly eventId: string } }[] }[];
    }
    const { json } = await stack.http<History>('GET', `runs/${run}/history`);
    return json.branches.flatMap(({ events }) => events).find(({ type }) => type === 'EventEmitted')?.data.eventId ?? '';
  }
});
