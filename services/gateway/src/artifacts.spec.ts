// Goal: bytes go in and come out as they were, named by their digest, and nothing else does. Method: the real gateway over sockets.
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ARTIFACT_UPLOAD_BYTES_MAX } from '@cairn/contracts';
import { openRig, TOKEN, type Rig } from './spec/rig.js';

const hex = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('artifacts over HTTP', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());

  const put = (body: Buffer | undefined, rest = '', headers: Record<string, string> = {}) =>
    rig.send({
      method: 'PUT',
      path: `/v1/default/artifacts${rest}`,
      ...(body === undefined ? {} : { body }),
      headers: { 'content-type': 'application/pdf', ...headers },
    });

  /** The bytes as they come: the rig reads text. */
  const get = (name: string): Promise<{ readonly status: number; readonly type: string; readonly bytes: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const request = httpRequest({ host: '127.0.0.1', port: rig.port, path: `/v1/default/artifacts/${name}`, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', bytes: Buffer.concat(chunks) }),
        );
      });
      request.on('error', reject);
      request.end();
    });

  it('are stored under their digest, and come back byte for byte', async () => {
    const bytes = randomBytes(1_000_000);
    const { status, json } = await put(bytes);
    expect([status, json]).toEqual([201, { artifact: `sha256:${hex(bytes)}`, bytes: 1_000_000, mediaType: 'application/pdf' }]);
    for (const name of [hex(bytes), `sha256:${hex(bytes)}`]) {
      const got = await get(name);
      expect([got.status, got.type]).toEqual([200, 'application/octet-stream']);
      expect(got.bytes.equals(bytes)).toBe(true);
    }
  });

  it('must have the digest that is named, in the path or in Content-Digest', async () => {
    const bytes = Buffer.from('{"a":1}');
    const digest = (of: Buffer): string => `sha-256=:${createHash('sha256').update(of).digest('base64')}:`;
    expect((await put(bytes, `/${hex(bytes)}`, { 'content-digest': digest(bytes) })).status).toBe(201);
    const other = Buffer.from('{"a":2}');
    for (const mismatch of [await put(other, `/${hex(bytes)}`), await put(other, '', { 'content-digest': digest(bytes) })])
      expect([mismatch.status, mismatch.json['code']]).toEqual([422, 'digest_mismatch']);
    expect((await get(hex(other))).status).toBe(404);
  });

  it.each([
    ['nothing', Buffer.alloc(0), '', 400, 'invalid_body'],
    ['a byte too many', Buffer.alloc(ARTIFACT_UPLOAD_BYTES_MAX + 1), '', 413, 'body_too_large'],
    ['a name that is no digest', Buffer.from('x'), '/..%2F..%2Fetc', 400, 'invalid_id'],
  ])('refuse %s', async (_, body, rest, status, code) => {
    const got = await put(body, rest);
    expect([got.status, got.json['code']]).toEqual([status, code]);
  });

  it('are not found, and not given to whoever has no token', async () => {
    const path = `/v1/default/artifacts/${'0'.repeat(64)}`;
    expect((await rig.send({ path })).json['code']).toBe('artifact_not_found');
    expect((await rig.send({ path, token: null })).status).toBe(401);
    expect((await rig.send({ path: path.replace('default', 'nowhere') })).json['code']).toBe('namespace_not_found');
    expect(rig.bugs).toEqual([]);
  });
});
