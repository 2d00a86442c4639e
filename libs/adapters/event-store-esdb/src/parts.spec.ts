import { describe, expect, it } from '@jest/globals';
import { crockford } from '@cairn/kernel';
import { EsdbStandIn, sealed, streamNo, wallClock } from '@cairn/testkit';
import fc from 'fast-check';
import { esdbAddress } from './address.js';
import { proposedOf, storedOf } from './event-codec.js';
import { openEsdb } from './open.js';
import { parsePosition, positionText } from './position.js';
import { randomness } from './spec/system-ports.js';
import { idOfUuid, uuidOfId } from './uuid.js';

describe('ids', () => {
  it('are the same 128 bits as 26 characters and as a UUID', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const uuid = uuidOfId(crockford(bytes));
        expect(uuid.replaceAll('-', '')).toBe(Buffer.from(bytes).toString('hex'));
        expect(idOfUuid(uuid)).toBe(crockford(bytes));
      }),
    );
    expect(idOfUuid('no uuid')).toBeUndefined();
  });
});

describe('positions', () => {
  it('are text that holds 64 bits, and nothing else is a position', () => {
    const far = { commit: 9_223_372_036_854_775_807n, prepare: 9_007_199_254_740_993n };
    expect(parsePosition(positionText(far))).toEqual(far);
    for (const text of ['', '1', '-1/0', '01/1', '1/1 ', '1/a', '99999999999999999999/0']) expect(() => parsePosition(text)).toThrow();
  });
});

describe('events', () => {
  const [event] = sealed(streamNo(1), 'no_stream', ['a']);
  const recorded = (change: object = {}) => {
    if (event === undefined) throw new Error('no event');
    const { id, type, data, metadata } = proposedOf(event);
    const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'));
    return { streamId: event.stream, id, revision: 0n, type, data: json(data), metadata: json(metadata), isJson: true, ...change };
  };

  it('come back byte for byte, and are plain JSON to any client', () => {
    expect(storedOf(recorded())).toEqual(event);
    expect(recorded().metadata).toEqual(
      expect.objectContaining({ $correlationId: event?.metadata.correlationId, $causationId: 'contract' }),
    );
  });

  it.each([
    ['another id', { id: '00000000-0000-4000-8000-000000000000' }, /id/],
    ['another revision', { revision: 1n }, /revision 0/],
    ['no metadata', { metadata: undefined }, /no event/],
    ['metadata without a hash', { metadata: { ...(recorded().metadata as object), hash: undefined } }, /no event/],
    ['data without a canonical form', { data: JSON.parse('{"__proto__":1}') as object }, /canonical/],
    ['binary data', { isJson: false, data: new Uint8Array(3) }, /no event/],
  ])('with %s are corrupt', (_, change, says) => {
    expect(() => storedOf(recorded(change))).toThrow(says);
  });
});

describe('the address', () => {
  it('is hosts and ports, without credentials and options', () => {
    expect(esdbAddress('esdb://ana:s3cret@db.example:2113?tls=false')).toBe('db.example:2113');
    expect(esdbAddress('esdb+discover://a:1111,b,c:3333/?nodePreference=leader&tls=true')).toBe('a:1111,b:2113,c:3333');
  });

  it.each([
    'http://localhost:2113',
    'esdb://',
    'esdb://ana@host',
    'esdb://ana:s3cret@host:0',
    'esdb://ana:s3cret@host:70000',
    'esdb://ana:s3cret@host:port',
    'esdb://ana:s3cret@ho st',
    'esdb://ana:s3cret@host?tls',
    'esdb://ana:s3cret@host?tls=perhaps',
    'esdb://ana:s3cret@host?tls=true&tls=false',
    'esdb://ana:s3cret@host?throwOnAppendFailure=false',
    'esdb://ana:s3cret@host?unheard=of',
  ])('%s is refused by a rule that shows no secret', (url) => {
    const refusal = (() => {
      try {
        return esdbAddress(url);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(Error);
    expect(String(refusal)).not.toContain('s3cret');
  });

  it('of a second database is refused while one is open, and a second open of the same shares the client', async () => {
    const server = await EsdbStandIn.start();
    const open = (url: string) => openEsdb({ url, clock: wallClock, randomness });
    const first = await open(server.url);
    const second = await open(server.url);
    await expect(open('esdb://ana:s3cret@elsewhere:2113')).rejects.toThrow(/is open in this process/);
    await first.close();
    expect(await second.store.newest()).toBeUndefined();
    await expect(first.store.newest()).rejects.toThrow(/closed/);
    await second.close();
    await expect(open('esdb://ana:s3cret@elsewhere?tlsCAFile=/no/such/file')).rejects.toThrow(/^(?!.*s3cret).*elsewhere/);
    await server.kill();
  });
});
