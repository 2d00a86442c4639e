// `cairn store apply` and `cairn doctor` on EventStoreDB's protocol: what is set, what is refused to whom, and the next step of every refusal;
// over TLS, and where the server is away.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { EsdbStandIn, notRun, OwnTime, Spawned } from '@cairn/testkit';
import { Authority, missingOpenssl, type Certificate } from './spec/certificates.js';
import { cairn } from './spec/command-line.js';

interface Applied {
  readonly store: string;
  readonly dryRun: boolean;
  readonly differences: readonly { readonly stream: string; readonly is: string }[];
  readonly notShown: readonly { readonly stream: string }[];
}
interface Finding {
  readonly check: string;
  readonly status: string;
  readonly says: string;
  readonly fix?: string;
}

const NOBODY = 'http://127.0.0.1:1';
/** A call has 5 s; a command on a store that is away makes one. */
const BOUND_MS = 15_000;

let server: EsdbStandIn;
let data: string;
beforeEach(async () => {
  server = await EsdbStandIn.start();
  data = mkdtempSync(join(tmpdir(), 'cairn-store-'));
});
afterEach(async () => {
  await server.kill();
  rmSync(data, { recursive: true });
});

const at = (url: string, ...args: readonly string[]) => cairn([...args, '--data', data], { CAIRN_EVENT_STORE: url });
const apply = (...args: readonly string[]) => at(server.url, 'store', 'apply', ...args);
const streamsOf = (settings: readonly { readonly stream: string }[]): string[] => settings.map(({ stream }) => stream);

describe('cairn store apply', () => {
  it('only tells in a dry run, sets, and then finds nothing that differs', async () => {
    const dry = await apply('--dry-run', '--json');
    expect([dry.code, dry.json()]).toMatchObject([0, { dryRun: true, differences: [{ is: 'absent' }, { is: 'absent' }], notShown: [] }]);
    expect(server.log.records).toHaveLength(0);
    const first = await apply('--json');
    expect([first.code, streamsOf(first.json<Applied>().differences)]).toEqual([0, ['$settings', '$$$all']]);
    expect(server.log.records).toHaveLength(2);
    const again = await apply();
    expect([again.code, again.out]).toEqual([0, expect.stringMatching(/^nothing differs: .*127\.0\.0\.1/)]);
    expect(server.log.records).toHaveLength(2);
  });

  it('says to a user who is not shown the settings that it cannot see, never that they differ, and who can', async () => {
    server.faults.denied.push('$settings', '$$$all');
    const dry = await apply('--dry-run');
    expect(dry.code).toBe(1);
    expect(dry.out).toMatch(/^unseen default rights of streams \(\$settings\)\n/);
    expect(dry.out).toMatch(/\n2 cannot be seen by this user; give CAIRN_EVENT_STORE an admin \(a member of \$admins\): /);
    expect(dry.out).not.toMatch(/differ/);
    expect((await apply('--dry-run', '--json')).json<Applied>()).toMatchObject({
      differences: [],
      notShown: [{ stream: '$settings' }, { stream: '$$$all' }],
    });
  });

  it('refuses such a user, changes nothing, and says so', async () => {
    server.faults.denied.push('$$$all');
    const { code, out, err } = await apply();
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/settings take an admin \(a member of \$admins\), and this user is not shown \$\$\$all; nothing was changed\.\n/);
    expect(err).toMatch(/next: with the user of an admin in CAIRN_EVENT_STORE: npx cairn store apply\n/);
    expect(server.log.records).toHaveLength(0);
  });

  it('has nothing to do on a file, and makes none', async () => {
    const { code, out } = await at(`libsql:${join(data, 'none.db')}`, 'store', 'apply');
    expect([code, out]).toEqual([0, expect.stringMatching(/^nothing to apply: a libSQL file/)]);
    await expect(async () => readFileSync(join(data, 'none.db'))).rejects.toThrow(/ENOENT/);
  });

  it.each([
    ['mysql://ana:s3cret@host', /CAIRN_EVENT_STORE: must be libsql:<file>, esdb:/],
    ['esdb://ana:s3cret@host:99999', /CAIRN_EVENT_STORE: each host .* a port from 1 to 65535/],
    ['esdb://ana:s3cret@host?tls=maybe', /CAIRN_EVENT_STORE: option tls .* is true or false/],
    ['esdb://ana:s3cret@host?tlsCAFile=/no/such/file', /CAIRN_EVENT_STORE: .* host:2113: .*[Ff]ile/],
  ])('refuses the address %s by field and rule', async (url, says) => {
    for (const command of ['store apply', 'doctor --url http://127.0.0.1:1']) {
      const { out, err } = await at(url, ...command.split(' '));
      expect(out + err).toMatch(says);
      expect(out + err).not.toContain('s3cret');
    }
    expect((await at(url, 'store', 'apply')).code).toBe(78);
  });
});

describe('cairn doctor', () => {
  const findings = async (url = server.url): Promise<Record<string, Finding>> => {
    const ran = await at(url, 'doctor', '--json', '--url', NOBODY);
    return Object.fromEntries(ran.json<{ findings: readonly Finding[] }>().findings.map((finding) => [finding.check, finding]));
  };

  it('probes the store, and its settings before and after they are set', async () => {
    expect(await findings()).toMatchObject({
      'event store': { status: 'ok', says: expect.stringMatching(/EventStoreDB 23\.10\.6: appended, read back, refused/) as unknown },
      'store settings': { status: 'failed', fix: 'npx cairn store apply' },
      relay: { status: 'ok' },
    });
    await apply();
    expect(await findings()).toMatchObject({ 'store settings': { status: 'ok' } });
    server.faults.denied.push('$settings', '$$$all');
    expect(await findings()).toMatchObject({ 'event store': { status: 'ok' }, 'store settings': { status: 'unseen' } });
  });

  it('ends on a store that was killed, or answers nothing, and names it', async () => {
    const { host } = new URL(server.url);
    await apply();
    server.faults.freeze();
    const frozen = OwnTime.start();
    expect(await findings()).toMatchObject({ 'event store': { status: 'failed', says: expect.stringContaining(host) as unknown } });
    expect(frozen.stop()).toBeLessThan(BOUND_MS);
    await server.kill();
    const killed = OwnTime.start();
    expect(await findings()).toMatchObject({
      'event store': {
        status: 'failed',
        says: expect.stringMatching(`${host}.*nobody listens there`) as unknown,
        fix: expect.stringMatching(/^start the EventStoreDB/) as unknown,
      },
    });
    expect(killed.stop()).toBeLessThan(BOUND_MS);
  });
});

describe('EventStoreDB over TLS', () => {
  const missing = missingOpenssl();
  if (missing !== undefined) {
    it('with certificates made here', () => notRun('TLS of EventStoreDB', missing));
    return;
  }
  let folder: string;
  let ca: Authority;
  const fronts: Server[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-store-tls-'));
    ca = new Authority(folder, 'ours');
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => fronts.splice(0).forEach((front) => front.close()));

  /** TLS in front of the stand-in: where it listens. */
  async function front({ cert, key }: Certificate): Promise<number> {
    const options = { cert: readFileSync(cert), key: readFileSync(key), ALPNProtocols: ['h2'] };
    const tls = createServer(options, (socket) => {
      const inner = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => inner.destroy()).pipe(inner);
      inner.on('error', () => socket.destroy()).pipe(socket);
    });
    tls.on('tlsClientError', () => undefined); // The client did not like the certificate, or speaks none.
    fronts.push(tls);
    await new Promise<void>((listening) => void tls.listen(0, '127.0.0.1', listening));
    return (tls.address() as AddressInfo).port;
  }

  it('is reached with its CA, and otherwise says what the address lacks', async () => {
    const port = await front(ca.server('db', 'DNS:localhost'));
    const known = `tlsCAFile=${ca.cert}`;
    const asked = async (options: string) => at(`esdb://ana:s3cret@localhost:${port}?${options}`, 'store', 'apply', '--dry-run');
    expect(await asked(known)).toMatchObject({ code: 0, err: '' });
    for (const [options, says] of [
      [
        'tls=true',
        /signed by nobody who is known here: add tlsCAFile=<PEM file of its CA> to CAIRN_EVENT_STORE\.\n {2}next: set CAIRN_EVENT_STORE anew/,
      ],
      ['tls=false', /if it speaks TLS, leave tls=false out of CAIRN_EVENT_STORE/],
    ] as const) {
      const { code, err } = await asked(options);
      expect([code, err]).toEqual([5, expect.stringMatching(says)]);
      expect(err).not.toContain('s3cret');
    }
    const elsewhere = await front(ca.server('other', 'DNS:elsewhere.example'));
    expect((await at(`esdb://localhost:${elsewhere}?${known}`, 'store', 'apply')).err).toMatch(
      /is for other names: give CAIRN_EVENT_STORE a host/,
    );
  });

  it('is reached by an IP address that stands in its certificate, without a warning of Node', async () => {
    const port = await front(ca.server('ip', 'IP:127.0.0.1'));
    const env = { CAIRN_EVENT_STORE: `esdb://127.0.0.1:${port}?tlsCAFile=${ca.cert}`, CAIRN_DATA: data };
    const command = Spawned.start('services/cli/bin/cairn.js', ['store', 'apply', '--dry-run'], env);
    expect(await command.exited).toMatchObject({ code: 0 });
    expect(command.stderr).toBe('');
  });
});
