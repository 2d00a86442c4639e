// TLS and nkeys by configuration, on a real server with the shipped nats-server-tls.conf and certificates made here: both sides prove
// themselves, and each is refused where it cannot.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handlerUser, publisherUser, serviceUsers } from '@cairn/contracts';
import { findNatsServer, notRun, SecuredNats } from '@cairn/testkit';
import { Authority, missingOpenssl, type Certificate } from './spec/certificates.js';
import { cairn } from './spec/command-line.js';
import { connect } from './spec/nats.js';

const names = [...serviceUsers, handlerUser('default'), publisherUser('default')].map(({ name }) => name);
const found = findNatsServer();
const missing = 'missing' in found ? found.missing : missingOpenssl();

describe('TLS and nkeys by configuration', () => {
  if ('missing' in found || missing !== undefined) {
    it('on a real server', () => notRun('TLS of the bus', missing ?? ''));
    return;
  }
  let folder: string;
  let ca: Authority;
  let stranger: Authority;
  let server: SecuredNats;
  let client: Certificate;

  const start = (certificate: Certificate): Promise<SecuredNats> =>
    SecuredNats.start(found.path, names, {
      config: 'nats-server-tls.conf',
      env: {
        CAIRN_NATS_SERVER_CERT: certificate.cert,
        CAIRN_NATS_SERVER_KEY: certificate.key,
        CAIRN_NATS_SERVER_CA: ca.cert,
      },
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-tls-'));
    ca = new Authority(folder, 'ours');
    stranger = new Authority(folder, 'stranger');
    client = ca.client('execution');
    server = await start(ca.server('nats', 'IP:127.0.0.1,DNS:localhost'));
  });
  afterAll(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true });
  });

  const as = (tls: { ca?: string; cert?: string; key?: string } | undefined, at: SecuredNats = server) =>
    connect(at.url, {
      credentials: at.credentials('execution'),
      inboxPrefix: '_INBOX.execution',
      ...(tls === undefined ? {} : { tls }),
    });
  const refused = { code: 'bus_unavailable' };

  it('connects who has a certificate of the same authority and an nkey, encrypted', async () => {
    const connection = await as({ ca: ca.cert, ...client });
    expect(connection.info).toMatchObject({ tls_required: true, tls_verify: true });
    await connection.flush();
    await connection.close();
  });

  it('takes it from the environment, for the command line as for services', async () => {
    const env = {
      CAIRN_NATS_URL: server.url,
      CAIRN_NATS_NKEY_SEED_FILE: server.seedFile('bus'),
      CAIRN_NATS_INBOX_PREFIX: '_INBOX.bus',
      CAIRN_NATS_TLS_CA: ca.cert,
      CAIRN_NATS_TLS_CERT: client.cert,
      CAIRN_NATS_TLS_KEY: client.key,
    };
    expect(await cairn(['bus', 'apply', '--data', folder], env)).toMatchObject({ code: 0, err: '' });
    const gone = await cairn(['bus', 'apply', '--data', folder], { ...env, CAIRN_NATS_TLS_CA: join(folder, 'nowhere') });
    expect(gone.code).toBe(78);
    expect(gone.err).toContain('CAIRN_NATS_TLS_');
  });

  it('refuses a client without a certificate, or with one of another authority', async () => {
    await expect(as({ ca: ca.cert })).rejects.toMatchObject(refused);
    await expect(as({ ca: ca.cert, ...stranger.client('execution') })).rejects.toMatchObject(refused);
  });

  it('refuses a client with a certificate and without an nkey', async () => {
    await expect(connect(server.url, { tls: { ca: ca.cert, ...client } })).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringMatching(/authorization/i) as unknown }) as unknown,
    });
  });

  it('is refused by a client that does not trust its authority', async () => {
    await expect(as({ ca: stranger.cert, ...client })).rejects.toMatchObject(refused);
    await expect(as(undefined)).rejects.toMatchObject(refused);
  });

  it('is refused by a client that asked for another name than its certificate has', async () => {
    const elsewhere = await start(ca.server('elsewhere', 'DNS:nats.example.org'));
    try {
      await expect(as({ ca: ca.cert, ...client }, elsewhere)).rejects.toMatchObject(refused);
    } finally {
      await elsewhere.dispose();
    }
  });
});
