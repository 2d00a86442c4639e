import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EsdbStandIn, wallClock } from '@cairn/testkit';
import { unavailable } from './errors.js';
import { openEsdb } from './open.js';
import { refusalOf } from './refusals.js';
import { randomness } from './spec/system-ports.js';

const ssl = (reason: string): string =>
  `Error: 80ECA2F75F7F0000:error:0A00010B:SSL routines:ssl3_get_record:${reason}:../deps/record.c:350:\n`;
const grpc = (code: number, message: string): Error => Object.assign(new Error(message), { code });
const unconnected = (last: string): Error => grpc(14, `14 UNAVAILABLE: No connection established. Last error: ${last}. Resolution note: `);

// Goal: each refusal names the step that helps. Method: the errors of the client as EventStoreDB 23.10.6, Node 20 and grpc-js 1.14 gave them.
describe('a refusal of EventStoreDB', () => {
  it.each([
    [
      'an unknown user or a wrong password',
      grpc(16, '16 UNAUTHENTICATED: Unauthenticated'),
      'user',
      /user or the password .* is not accepted/,
    ],
    ['a user without rights', grpc(7, '7 PERMISSION_DENIED: Access Denied'), 'rights', /group cairn.*cairn store apply/],
    ['an append without rights', Object.assign(new Error('AccessDenied'), { type: 'access-denied' }), 'rights', /access denied/],
    ['TLS where none is spoken', unconnected(ssl('wrong version number')), 'address', /add tls=false/],
    ['a CA that is not known', unconnected('Error: unable to verify the first certificate'), 'address', /add tlsCAFile=/],
    ['a certificate that signs itself', unconnected('Error: self-signed certificate in certificate chain'), 'address', /add tlsCAFile=/],
    [
      'a certificate for others',
      unconnected("Error: Hostname/IP does not match certificate's altnames: Host: db. is not in the cert's altnames: DNS:localhost"),
      'address',
      /certificate of the server is for other names/,
    ],
    ['no TLS where it is spoken', unconnected('Failed to connect (2026-11-28T22:06:14.927Z)'), 'address', /leave tls=false out/],
    [
      'a name without address',
      grpc(14, '14 UNAVAILABLE: Name resolution failed for target dns:no.invalid:2113'),
      'address',
      /host is not known/,
    ],
    ['a closed port', unconnected('Error: connect ECONNREFUSED 127.0.0.1:1'), 'away', /^nobody listens there$/],
    [
      'a cluster of which nobody answers',
      new Error('Failed to discover after 10 attempts.'),
      'address',
      /no host tells which nodes there are/,
    ],
  ] as const)('because of %s says so, also through a fault', (_, error, kind, says) => {
    const refusal = refusalOf(error);
    expect(refusal).toEqual({ kind, says: expect.stringMatching(says) as unknown });
    const fault = unavailable('read of $all', error);
    expect(fault.message).toBe(`read of $all: ${refusal.says}`);
    expect(refusalOf(fault)).toEqual(refusal);
  });

  it('that is not known is told without what stands around every reason', () => {
    expect(refusalOf(unconnected('Error: read ECONNRESET'))).toEqual({ kind: 'away', says: 'read ECONNRESET' });
    expect(refusalOf(unconnected(ssl('bad record type')))).toMatchObject({
      says: expect.stringMatching(/^80ECA.*record\.c:350:$/) as unknown,
    });
    expect(refusalOf(Object.assign(new Error(''), { type: 'deadline-exceeded' })).says).toBe('deadline-exceeded');
    expect([new Error(''), undefined, 'gone'].map((error) => refusalOf(error).says)).toEqual(['no reason given', 'undefined', 'gone']);
  });
});

describe('the client, asked to reach', () => {
  const versionAt = async (url: string): Promise<string> => {
    const esdb = await openEsdb({ url, clock: wallClock, randomness });
    try {
      return await esdb.serverVersion();
    } catch (error) {
      return `${refusalOf(error).kind}: ${(error as Error).message}`;
    } finally {
      await esdb.close();
    }
  };
  const listening = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  it('an insecure server over TLS, says what refusals are told by', async () => {
    const server = await EsdbStandIn.start();
    expect(await versionAt(server.url.replace('127.0.0.1', 'localhost').replace('?tls=false', ''))).toMatch(
      /^address: EventStoreDB at localhost:\d+: .*add tls=false/,
    );
    await server.kill();
  });

  it('a server that is none, and then a port where nobody listens, says so', async () => {
    const hanger = createTcpServer((socket) => socket.destroy());
    const port = await listening(hanger);
    expect(await versionAt(`esdb://127.0.0.1:${port}?tls=false`)).toMatch(/^address: .*leave tls=false out/);
    await new Promise((closed) => hanger.close(closed));
    expect(await versionAt(`esdb://127.0.0.1:${port}?tls=false`)).toMatch(/^away: .*nobody listens there$/);
  });

  it('a host that is not known, says so', async () => {
    expect(await versionAt('esdb://no-such-host.invalid:2113?tls=false')).toMatch(/^address: .*the host is not known/);
  });
});
