// `cairn bus apply` against a real nats-server: what it makes, what it mends, that a second run finds nothing to do, what it ends with.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyTopology, diffTopology } from '@cairn/bus-jetstream';
import { busStreams, consumers, schedulingIntake, subjects, workQueue } from '@cairn/contracts';
import { findNatsServer, notRun, PATIENCE_MS, RunningNats } from '@cairn/testkit';
import { cairn } from './spec/command-line.js';
import { clear, connect, fetchAll, type Connection } from './spec/nats.js';
import { storeDefinition } from './spec/stored-definition.js';

interface Applied {
  readonly consumers: number;
  readonly queues: readonly { readonly ns: string; readonly queue: string }[];
  readonly differences: readonly { readonly kind: string; readonly name: string; readonly why: string; readonly did: string }[];
}

const found = findNatsServer();

describe('cairn bus apply', () => {
  if ('missing' in found) {
    it('on a real server', () => notRun('cairn bus apply', found.missing));
    return;
  }
  let nats: RunningNats;
  let admin: Connection;
  let data: string;

  beforeAll(async () => {
    nats = await RunningNats.start(found.path);
    admin = await connect(nats.url);
  });
  beforeEach(async () => {
    await clear(admin);
    data = mkdtempSync(join(tmpdir(), 'cairn-bus-'));
  });
  afterEach(() => rmSync(data, { recursive: true }));
  afterAll(async () => {
    await admin.close();
    await nats.dispose();
  });

  const apply = (...more: string[]) => cairn(['bus', 'apply', '--nats', nats.url, '--data', data, ...more]);
  const applied = async (...more: string[]): Promise<Applied> => (await apply('--json', ...more)).json<Applied>();

  it('makes all streams and consumers of the contract, and finds nothing to do the second time', async () => {
    const first = await apply();
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toContain('made stream CAIRN_RUN\n');
    expect(first.out).toContain(`made consumer ${schedulingIntake.durable}\n`);
    expect(first.out).toContain(`${busStreams.length + consumers.length} mended`);
    expect(await diffTopology(admin, busStreams, consumers)).toEqual([]);
    const second = await apply();
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toMatch(/^nothing differs: 6 bus streams, \d+ consumers \(0 of queues\) at nats:.*; no definition is stored yet\n$/);
  });

  it('makes nothing with --dry-run, and makes no store where there is none', async () => {
    const { differences } = await applied('--dry-run');
    expect(new Set(differences.map(({ did }) => did))).toEqual(new Set(['nothing']));
    expect(differences).toHaveLength(busStreams.length + consumers.length);
    expect(await diffTopology(admin, busStreams, [])).toHaveLength(busStreams.length);
    expect(readdirSync(data)).toEqual([]);
  });

  it('makes a consumer for each queue of each version of each stored definition, also of one too large for an event', async () => {
    await applied();
    await storeDefinition(data, { name: 'payments', version: '1.0.0', queues: ['screening', 'paying'] });
    await storeDefinition(data, { name: 'payments', version: '1.1.0', queues: ['screening', 'telling'] });
    await storeDefinition(data, { ns: 'acme', name: 'large', version: '1.0.0', queues: ['screening'], byReference: true });
    const { queues, differences } = await applied();
    expect(queues.map(({ ns, queue }) => `${ns}/${queue}`)).toEqual([
      'acme/screening',
      'default/paying',
      'default/screening',
      'default/telling',
    ]);
    expect(differences.map(({ name, why, did }) => [name, why, did])).toEqual([
      ['acme__screening', 'missing', 'made'],
      ['default__paying', 'missing', 'made'],
      ['default__screening', 'missing', 'made'],
      ['default__telling', 'missing', 'made'],
    ]);
    expect(await diffTopology(admin, [], [workQueue('acme', 'screening')])).toEqual([]);
    expect((await applied()).differences).toEqual([]);
  });

  it('says which field differs, and mends it', async () => {
    await applyTopology(admin, busStreams, [{ ...schedulingIntake, inFlightMax: 7 }]);
    const dry = await apply('--dry-run');
    expect(dry.out).toContain(`differs consumer ${schedulingIntake.durable}\n  max_ack_pending: 7 -> 1024\n`);
    const { out } = await apply();
    expect(out).toContain(`changed consumer ${schedulingIntake.durable}\n  max_ack_pending: 7 -> 1024\n`);
    expect((await applied()).differences).toEqual([]);
  });

  it('makes a consumer anew whose stream lost what it had seen', async () => {
    await applied();
    const subject = subjects.inbound('default', 'a.b');
    for (let i = 0; i < 3; i++) await admin.request(subject, '{}', { timeout: PATIENCE_MS });
    expect(await fetchAll(admin, schedulingIntake, 3)).toHaveLength(3);
    await nats.kill();
    const streams = join(nats.store, 'jetstream', '$G', 'streams');
    rmSync(join(streams, 'CAIRN_IN', 'msgs'), { recursive: true });
    await nats.startAgain();
    await admin.close();
    admin = await connect(nats.url);
    await admin.request(subject, '{}', { timeout: PATIENCE_MS });
    const [lost] = (await applied('--dry-run')).differences;
    expect(lost).toMatchObject({ name: schedulingIntake.durable, why: 'beyond_end', did: 'nothing' });
    expect((await apply()).out).toContain(`made anew consumer ${schedulingIntake.durable}\n`);
    expect((await applied()).differences).toEqual([]);
    expect(await fetchAll(admin, schedulingIntake, 1)).toHaveLength(1);
  });

  it('is done by `def apply` for the queues of what it applied, where the server says that there is a bus', async () => {
    await applied();
    const file = join(data, 'w.yaml');
    writeFileSync(file, 'cairn: 1\nname: w\nversion: 1.0.0\nsteps:\n  - {id: a, task: {queue: screening}}\n');
    const gateway = createServer((request, response) => void request.resume().on('end', () => response.writeHead(201).end('{}')));
    await new Promise<void>((listening) => void gateway.listen(0, '127.0.0.1', listening));
    try {
      const { port } = gateway.address() as AddressInfo;
      const server = { url: `http://127.0.0.1:${port}`, ns: 'acme' };
      const define = (...more: string[]) => cairn(['def', 'apply', file, '--data', data, ...more]);
      const serverJson = (more: object): void => writeFileSync(join(data, 'server.json'), JSON.stringify({ ...server, ...more }));

      serverJson({});
      expect((await define()).out).toMatch(/^applied w@1\.0\.0 .*\n$/);
      serverJson({ nats: nats.url });
      expect((await define()).out).toMatch(/^applied w@1\.0\.0 .*\nmade consumer acme__screening\n$/);
      expect(await diffTopology(admin, [], [workQueue('acme', 'screening')])).toEqual([]);
      expect((await define('--json')).json()).toMatchObject({ bus: { nats: nats.url, differences: [] } });
      serverJson({ nats: 'nats://127.0.0.1:1' });
      const { code, err } = await define();
      expect(code).toBe(0);
      expect(err).toMatch(/^the queues' consumers were not made: No nats-server answers .*\n {2}next: npx cairn bus apply\n$/);
    } finally {
      gateway.close();
    }
  });

  it('ends with 1 and the server’s reason where something cannot be changed', async () => {
    const [first, ...others] = busStreams;
    await applyTopology(admin, [{ ...first!, retention: 'work_queue' }, ...others], []);
    const { code, err } = await apply();
    expect(code).toBe(1);
    expect(err).toContain(`${first!.name} cannot be as the contract says: `);
    expect(err).toContain('  next: ');
  });

  it('ends with 5 where no server answers', async () => {
    const { code, json } = await cairn(['bus', 'apply', '--nats', 'nats://127.0.0.1:1', '--data', data, '--json']);
    expect(code).toBe(5);
    expect(json()).toMatchObject({ code: 'unreachable', status: 503, detail: expect.stringContaining('nats://127.0.0.1:1') as unknown });
  });

  it('says which file of a secret cannot be read, and which address of an EventStoreDB is none', async () => {
    const seed = await cairn(['bus', 'apply', '--nats', nats.url, '--data', data], { CAIRN_NATS_NKEY_SEED_FILE: '/nowhere/seed' });
    expect(seed).toMatchObject({ code: 78, out: '' });
    expect(seed.err).toContain('CAIRN_NATS_NKEY_SEED_FILE: cannot read /nowhere/seed (ENOENT).');
    const two = await cairn(['bus', 'apply', '--nats', nats.url, '--data', data], {
      CAIRN_NATS_NKEY_SEED_FILE: 'x',
      CAIRN_NATS_TOKEN_FILE: 'x',
    });
    expect(two).toMatchObject({ code: 78, err: expect.stringContaining('give one of them') as unknown });
    const half = await cairn(['bus', 'apply', '--nats', nats.url, '--data', data], { CAIRN_NATS_TLS_KEY: 'x' });
    expect(half).toMatchObject({
      code: 78,
      err: expect.stringContaining('CAIRN_NATS_TLS_CERT and CAIRN_NATS_TLS_KEY go together') as unknown,
    });
    const store = await cairn(['bus', 'apply', '--nats', nats.url, '--data', data], {
      CAIRN_EVENT_STORE: 'esdb://me:hush@somewhere:0',
    });
    expect(store).toMatchObject({ code: 78, out: '' });
    expect(store.err).toContain('CAIRN_EVENT_STORE: each host of an EventStoreDB address');
    expect(store.err).not.toContain('hush');
  });
});
