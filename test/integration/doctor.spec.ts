// `cairn doctor` against real servers: what it says when all is well, and for each thing that is broken here: the check that sees it,
// the command that mends it, the exit code.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect as dial, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNatsLine, recreateConsumer } from '@cairn/bus-jetstream';
import { lineSubjects, PRESENCE_BEAT_MS, schedulingIntake, subjects, workQueue } from '@cairn/contracts';
import { openLibsqlEventStore } from '@cairn/event-store-libsql';
import { instantOf, sealAppend } from '@cairn/kernel';
import { findNatsServer, notRun, PATIENCE_MS, RunningNats, wallClock } from '@cairn/testkit';
import { cairn } from './spec/command-line.js';
import { clear, connect, type Connection } from './spec/nats.js';
import { pullFor, type Pulling } from './spec/pulling.js';
import { storeDefinition } from './spec/stored-definition.js';

interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'failed' | 'unseen';
  readonly says: string;
  readonly details?: readonly string[];
  readonly fix?: string;
}
interface Report {
  readonly well: boolean;
  readonly stack: boolean;
  readonly findings: readonly Finding[];
}

const REPLICA = '0123456789abcdefghjkmnpqrs';

let data: string;
let gateway: Server;
/** What the gateway in miniature answers. */
let answers: Record<string, { readonly status: number; readonly body: unknown }>;
let url: string;

beforeAll(async () => {
  gateway = createServer((request, response) => {
    const { status, body } = answers[request.url ?? ''] ?? { status: 404, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => void gateway.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
afterAll(() => void gateway.close());
beforeEach(() => {
  answers = { '/healthz': { status: 200, body: { live: true } }, '/readyz': { status: 200, body: { ready: true, parts: {} } } };
  data = mkdtempSync(join(tmpdir(), 'cairn-doctor-'));
});
afterEach(() => rmSync(data, { recursive: true }));

async function doctor(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const ran = await cairn(['doctor', '--json', '--data', data, '--url', url, ...args], env);
  const report = ran.json<Report>();
  const by = (check: string): Finding | undefined => report.findings.find((finding) => finding.check === check);
  const failures = report.findings.flatMap(({ check, status }) => (status === 'failed' ? check : []));
  return { ...ran, report, by, failures };
}

/** Whether somebody has the port of this machine. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    const end = (taken: boolean) => (): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}

describe('cairn doctor on the embedded default', () => {
  it('looks at what applies, says what does not, and ends with 0', async () => {
    await storeDefinition(data, { name: 'w', version: '1.0.0', queues: ['screening'] });
    const { code, report, by } = await doctor();
    expect({ code, well: report.well, stack: report.stack }).toEqual({ code: 0, well: true, stack: false });
    expect(by('gateway')).toMatchObject({ status: 'ok' });
    expect(by('event store')).toMatchObject({
      status: 'ok',
      says: expect.stringContaining('refused a second append at revision 0') as unknown,
    });
    expect(by('nats-server')).toMatchObject({ status: 'unseen', says: 'none is named: the bus is the memory of `cairn dev`' });
    expect((await doctor()).by('event store')).toMatchObject({ says: expect.stringContaining('at revision 1') as unknown });
  });

  it('makes no store where nothing is stored', async () => {
    expect((await doctor()).by('event store')).toMatchObject({ status: 'unseen' });
    expect((await doctor()).by('event store')).toMatchObject({ status: 'unseen' });
  });

  it('prints for people one line each, failures with what mends them', async () => {
    const { code, out } = await cairn(['doctor', '--data', data, '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(5);
    expect(out).toMatch(/^ok +node +Node v/);
    expect(out).toMatch(/\nfailed +gateway +nobody answers at http:\/\/127\.0\.0\.1:1\n +mend: npx cairn dev\n/);
    expect(out).toContain(`not checked: none is named by --nats, CAIRN_NATS_URL or ${join(data, 'server.json')}`);
    expect(out).toMatch(/\n\d+ ok, 1 failed, 2 not seen\n$/);
  });

  it('sees a gateway that is not ready, with its reasons', async () => {
    answers['/readyz'] = { status: 503, body: { ready: false, parts: { store: 'store_unavailable' } } };
    const { code, by } = await doctor();
    expect(code).toBe(1);
    expect(by('gateway')).toMatchObject({ status: 'failed', details: ['store: store_unavailable'], fix: 'npx cairn dev' });
  });

  it('takes no stack for a `cairn dev`: a gateway that has a bus, and nothing that says where', async () => {
    // Somebody's own server there would be looked at, as `bus apply` would.
    if (await listens(4222)) return notRun('cairn doctor where no bus is named', 'needs port 4222 of 127.0.0.1 free; end what has it');
    answers['/readyz'] = { status: 200, body: { ready: true, parts: { store: 'ready', bus: 'ready' } } };
    const { code, by } = await doctor();
    const seen = by('nats-server');
    expect(seen?.says).toContain('127.0.0.1:4222');
    expect({ code, says: seen?.says, fix: seen?.fix }).toEqual({
      code: 5,
      says: expect.stringContaining(`none is named by --nats, CAIRN_NATS_URL or ${join(data, 'server.json')}`) as unknown,
      fix: expect.stringContaining('--data or CAIRN_DATA') as unknown,
    });
    answers['/readyz'] = { status: 503, body: { ready: false, parts: { store: 'ready', bus: 'failed' } } };
    expect((await doctor()).by('gateway')).toMatchObject({ status: 'failed', fix: 'npm run stack' });
    answers['/readyz'] = { status: 503, body: { ready: false, parts: { store: 'failed', bus: 'ready' } } };
    expect((await doctor()).by('gateway')).toMatchObject({ status: 'failed', fix: 'start the event store that is named below' });
  });

  it('takes a gateway that drains for none that says whether there is a bus', async () => {
    answers['/readyz'] = { status: 503, body: { ready: false, parts: { process: 'draining' } } };
    const { by } = await doctor();
    expect(by('gateway')).toMatchObject({ status: 'failed', details: ['process: draining'] });
    expect(by('nats-server')?.says).toMatch(/^not checked: none is named by .*, and no gateway says whether there is one$/);
  });

  it('sees that somebody else has the port, whether it speaks HTTP or not', async () => {
    answers['/healthz'] = { status: 200, body: { hello: 'there' } };
    expect((await doctor()).by('port')).toMatchObject({ status: 'failed', fix: 'npx cairn dev --port 0' });
    const mute = createTcpServer((socket) => socket.on('error', () => undefined).end('220 mail\r\n'));
    await new Promise<void>((listening) => void mute.listen(0, '127.0.0.1', listening));
    const { port } = mute.address() as AddressInfo;
    const report = (await cairn(['doctor', '--json', '--data', data, '--url', `http://127.0.0.1:${port}`])).json<Report>();
    mute.close();
    expect(report.findings).toContainEqual(expect.objectContaining({ check: 'port', status: 'failed' }));
  });

  it('sees a misspelt variable, and the one that was meant', async () => {
    const { code, by } = await doctor([], { CAIRN_NAST_URL: 'x' });
    expect(code).toBe(1);
    expect(by('configuration')).toMatchObject({ status: 'failed', fix: 'rename CAIRN_NAST_URL to CAIRN_NATS_URL' });
  });

  it('sees a store that is none, facts that nobody told, and events of the future', async () => {
    writeFileSync(join(data, 'events.db'), 'no database'.repeat(1_000));
    expect((await doctor()).by('event store')).toMatchObject({ status: 'failed' });
    rmSync(join(data, 'events.db'));
    const store = await openLibsqlEventStore({ file: join(data, 'events.db') });
    for (const [run, at] of [
      [REPLICA, Date.now() - 60_000],
      [REPLICA.replace('0', '1'), Date.now() + 3_600_000],
    ] as const) {
      const stream = `run-${run}+main`;
      const context = {
        stream,
        expected: 'no_stream',
        prevHash: '',
        ns: 'default',
        at: instantOf(at),
        actor: 'user:spec',
        causationId: 'x',
      };
      await store.append(
        stream,
        'no_stream',
        sealAppend(context as Parameters<typeof sealAppend>[0], [{ type: 'RunStarted', version: 1, data: {} }]),
      );
    }
    await store.close();
    const { failures, by } = await doctor();
    expect(failures).toEqual(['relay', 'clock, store']);
    expect(by('relay')?.says).toBe('2 facts are untold, the oldest for 1m 00s');
    expect(by('clock, store')?.says).toMatch(/^the newest events were written (59m 5\ds|1h 00m) in our future$/);
  });

  it('shows the configuration with origins, and no secret', async () => {
    const { code, out } = await cairn(['doctor', '--config', '--data', data], {
      CAIRN_TOKEN: 'hush',
      CAIRN_NATS_URL: 'nats://me:hush@there:1',
    });
    expect(code).toBe(0);
    expect(out).not.toContain('hush');
    expect(out).toMatch(/\nCAIRN_NATS_URL +nats:\/\/there:1 +environment\n/);
    expect(out).toMatch(/\nCAIRN_PORT +4300 +default\n/);
  });
});

const found = findNatsServer();

describe('cairn doctor on the stack', () => {
  if ('missing' in found) {
    it('on a real server', () => notRun('cairn doctor on the stack', found.missing));
    return;
  }
  let nats: RunningNats;
  let admin: Connection;
  let services: Pulling;
  let stopBeats: () => void;

  beforeAll(async () => {
    nats = await RunningNats.start(found.path);
    admin = await connect(nats.url);
  });
  afterAll(async () => {
    await admin.close();
    await nats.dispose();
  });
  /** Services in miniature: whoever pulls from every consumer, and a replica that beats and answers for its desk. */
  beforeEach(async () => {
    await clear(admin);
    await storeDefinition(data, { name: 'w', version: '1.0.0', queues: ['screening'] });
    await cairn(['bus', 'apply', '--nats', nats.url, '--data', data]);
    services = pullFor(await connect(nats.url));
    const replica = await connect(nats.url);
    const line = createNatsLine(replica, wallClock);
    const beat = setInterval(() => line.tell(subjects.presence(REPLICA), json({ replica: REPLICA })), PRESENCE_BEAT_MS);
    line.listen(lineSubjects.desk(REPLICA), (asked) => asked.answer(json(desk)));
    stopBeats = () => {
      clearInterval(beat);
      void replica.close();
    };
    desk = { handlers: 1, waiting: 2 };
  });
  afterEach(async () => {
    stopBeats();
    await services.stop();
  });

  let desk: { handlers: number; waiting: number };
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const onStack = (...args: string[]) => doctor(['--nats', nats.url, ...args]);

  it('is well when everything is there', async () => {
    const { code, failures, by } = await onStack();
    expect({ code, failures }).toEqual({ code: 0, failures: [] });
    expect(by('bus')?.says).toMatch(/^6 bus streams, \d+ consumers \(1 of queues\) as the contract says$/);
    expect(by('replicas')?.says).toBe('1 of execution live');
    expect(by('nats version')?.status).toBe('ok');
    expect(by('clock, nats')?.status).toBe('ok');
    expect(by('permissions')).toMatchObject({ status: 'unseen', says: expect.stringContaining('no credentials') as unknown });
    expect(by('sync_interval')).toMatchObject({ status: 'unseen', says: expect.stringContaining('not visible') as unknown });
  });

  it('shows what differs from the contract, and mends it by the command that it names', async () => {
    await recreateConsumer(admin, { ...schedulingIntake, inFlightMax: 7 });
    const { code, by } = await onStack();
    expect(code).toBe(1);
    expect(by('bus')).toMatchObject({
      status: 'failed',
      fix: 'npx cairn bus apply',
      details: [`differs consumer ${schedulingIntake.durable}`, '  max_ack_pending: 7 -> 1024'],
    });
    await cairn(['bus', 'apply', '--nats', nats.url, '--data', data]);
    expect((await onStack()).by('bus')?.status).toBe('ok');
  });

  it('sees a queue with work and nobody who does it, from the desk and from the bus', async () => {
    desk = { handlers: 0, waiting: 2 };
    await admin.request(subjects.work('default', 'screening'), '{}', { timeout: PATIENCE_MS });
    const { code, by } = await onStack();
    expect(code).toBe(1);
    expect(by('queues')).toMatchObject({
      status: 'failed',
      says: 'nobody serves default/screening',
      details: ['default/screening: 3 tasks wait'],
    });
    const handler = pullFor(await connect(nats.url), [workQueue('default', 'screening')]);
    expect((await onStack()).by('queues')?.status).toBe('ok');
    await handler.stop();
  });

  it('sees services that do not run and replicas that are not heard', async () => {
    stopBeats();
    await services.stop();
    const { code, failures, by } = await onStack();
    expect({ code, failures }).toEqual({ code: 1, failures: ['services', 'replicas'] });
    expect(by('services')).toMatchObject({
      fix: 'npm run stack',
      says: 'scheduling, execution, retry-policy, human-review: not running, or not bound',
    });
  });

  it('looks at the bus though the event store is away, which is asked once, and named', async () => {
    answers['/readyz'] = { status: 503, body: { ready: false, parts: { store: 'failed', bus: 'ready' } } };
    const store = 'esdb://127.0.0.1:1?tls=false';
    const { code, failures, by } = await doctor(['--nats', nats.url], { CAIRN_EVENT_STORE: store });
    expect({ code, failures }).toEqual({ code: 5, failures: ['gateway', 'event store'] });
    expect(by('event store')?.says).toContain(store);
    expect(by('gateway')?.fix).toBe('start the event store that is named below');
    expect(by('bus')).toMatchObject({ status: 'ok', says: expect.stringContaining('(0 of queues)') as unknown });
    expect(by('queues')).toMatchObject({ status: 'unseen', says: 'not known while the event store fails' });
  });

  it.each([
    ['is none', {}],
    ['is not configured right', { CAIRN_EVENT_STORE: 'esdb://127.0.0.1:1?tlsCAFile=/nowhere/ca.crt' }],
  ])('looks at the bus, and tells it once, though the event store %s', async (_, env) => {
    for (const file of readdirSync(data)) if (file.startsWith('events.db')) rmSync(join(data, file));
    writeFileSync(join(data, 'events.db'), 'no database'.repeat(1_000));
    const { code, failures, by } = await doctor(['--nats', nats.url], env);
    expect({ code, failures }).toEqual({ code: 1, failures: ['event store'] });
    expect(by('bus')).toMatchObject({ status: 'ok', says: expect.stringContaining('(0 of queues)') as unknown });
    expect(by('queues')).toMatchObject({ status: 'unseen', says: 'not known while the event store fails' });
  });

  it('sees credentials that may do anything', async () => {
    const password = join(data, 'password');
    writeFileSync(password, 'p');
    const { by } = await doctor(['--nats', nats.url], { CAIRN_NATS_USER: 'u', CAIRN_NATS_PASSWORD_FILE: password });
    expect(by('permissions')).toMatchObject({ status: 'failed', fix: expect.stringContaining('deploy/nats') as unknown });
  });

  it.each(['nats://127.0.0.1:1', 'the gateway'])('ends with 5 where nobody answers, and with what does: %s', async (where) => {
    const address = where === 'the gateway' ? url.replace('http', 'nats') : where;
    const { code, by } = await doctor(['--nats', address]);
    expect(code).toBe(5);
    expect(by('nats-server')).toMatchObject({ status: 'failed', fix: 'nats-server --config deploy/nats/nats-server.conf' });
  });

  it('sees how often the server writes through, where its monitoring may be asked, and not that of another server', async () => {
    const server_id = admin.info?.server_id;
    const jetstream = (sync_interval: number) => ({ jetstream: { config: { sync_interval } } });
    answers['/varz'] = { status: 200, body: { server_id, ...jetstream(1e9) } };
    expect((await onStack('--monitor', url)).by('sync_interval')).toMatchObject({ status: 'ok', says: '1.0s' });
    answers['/varz'] = { status: 200, body: { server_id, ...jetstream(120e9) } };
    expect((await onStack('--monitor', url)).by('sync_interval')).toMatchObject({
      status: 'failed',
      says: expect.stringContaining('2m 00s') as unknown,
    });
    answers['/varz'] = { status: 200, body: { server_id: 'another', ...jetstream(1e9) } };
    expect((await onStack('--monitor', url)).by('sync_interval')).toMatchObject({ status: 'unseen' });
  });
});
