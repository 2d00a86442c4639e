import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { idOf, type Role } from '@cairn/kernel';
import { openRig, TOKEN, type Rig, type Sent } from './spec/rig.js';
import { routes } from './edge/routes.js';

const open = ['/healthz', '/readyz', '/metrics'];

describe('who may come in', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());

  const list: Sent = { path: '/v1/default/runs' };
  const refusals: readonly { readonly what: string; readonly sent: Sent; readonly status: number; readonly code: string }[] = [
    { what: 'no token', sent: { ...list, token: null }, status: 401, code: 'unauthorized' },
    { what: 'another token', sent: { ...list, token: 'd'.repeat(64) }, status: 401, code: 'unauthorized' },
    { what: 'the beginning of the token', sent: { ...list, token: TOKEN.slice(0, 32) }, status: 401, code: 'unauthorized' },
    {
      what: 'the token under another scheme',
      sent: { ...list, token: null, headers: { authorization: `Basic ${TOKEN}` } },
      status: 401,
      code: 'unauthorized',
    },
    { what: 'the token in the query', sent: { path: `/v1/default/runs?token=${TOKEN}`, token: null }, status: 401, code: 'unauthorized' },
    { what: 'a web page', sent: { ...list, headers: { origin: 'https://evil.example' } }, status: 403, code: 'origin_refused' },
    { what: 'a page of no origin', sent: { ...list, headers: { origin: 'null' } }, status: 403, code: 'origin_refused' },
    {
      what: 'a page that was served from here under another port',
      sent: { ...list, headers: { origin: 'http://127.0.0.1:1' } },
      status: 403,
      code: 'origin_refused',
    },
    { what: 'a rebound name', sent: { ...list, headers: { host: 'evil.example' } }, status: 403, code: 'host_refused' },
    {
      what: 'a name that only begins like ours',
      sent: { ...list, headers: { host: 'localhost.evil.example' } },
      status: 403,
      code: 'host_refused',
    },
    { what: 'a name with a trailing dot', sent: { ...list, headers: { host: 'localhost.' } }, status: 403, code: 'host_refused' },
    {
      what: 'a web page asking for metrics',
      sent: { path: '/metrics', token: null, headers: { origin: 'https://evil.example' } },
      status: 403,
      code: 'origin_refused',
    },
  ];

  it.each(refusals)('refuses $what', async ({ sent, status, code }) => {
    const got = await rig.send(sent);
    expect({ status: got.status, code: got.json['code'] }).toEqual({ status, code });
    expect(got.text).not.toContain(TOKEN.slice(0, 32));
  });

  it.each(['localhost', '127.0.0.1', '127.1.2.3:80', '[::1]:4300', 'LOCALHOST:1'])('answers under the host name %s', async (host) => {
    expect((await rig.send({ ...list, headers: { host } })).status).toBe(200);
  });

  it('answers pages of an origin that is configured', async () => {
    expect((await rig.send({ ...list, headers: { origin: 'https://console.example' } })).status).toBe(200);
  });

  it.each(open)('answers %s on loopback without a token', async (path) => {
    expect((await rig.send({ path, token: null })).status).toBe(200);
  });

  const links = (path: string): boolean => path.startsWith('/v1/callbacks/');

  it.each(routes.filter(({ path }) => !open.includes(path) && !links(path)))(
    'asks for the token on $method $path, before anything else of the request',
    async ({ method, path }) => {
      const got = await rig.send({
        method,
        path: path.replaceAll(/\{[a-zA-Z]+\}/g, 'x'),
        token: null,
        ...(method === 'GET' ? {} : { body: '{' }),
      });
      expect({ status: got.status, code: got.json['code'] }).toEqual({ status: 401, code: 'unauthorized' });
    },
  );

  it.each(routes.filter(({ path }) => links(path)))('asks on $method $path for nothing but a link of ours', async ({ method }) => {
    const path = '/v1/callbacks/v1.k1.e30.AAAA';
    const got = await rig.send({ method, path, token: null, headers: { origin: 'https://evil.example' } });
    expect({ status: got.status, code: got.json['code'] }).toEqual({ status: 404, code: 'callback_not_found' });
  });

  it.each([
    ['PUT', 'artifacts'],
    ['DELETE', 'x'],
    ['POST', 'workflows/w/runs'],
    ['POST', 'runs/x:cancel'],
    ['GET', 'runs/x'],
  ])('lets nobody in by %s /v1/callbacks/%s', async (method, path) => {
    const got = await rig.send({ method, path: `/v1/callbacks/${path}`, token: null });
    expect({ status: got.status, code: got.json['code'] }).toEqual({ status: 401, code: 'unauthorized' });
  });

  it('no namespace is called callbacks: nothing of one is reached without a token', async () => {
    for (const path of ['work:exchange', 'doctor:rebuild', 'events']) {
      const { json } = await rig.send({ method: 'POST', path: `/v1/callbacks/${path}`, token: null, body: '{}' });
      expect(['callback_not_found', 'invalid_namespace']).toContain(json['code']);
    }
  });

  it.each(routes)('has a door for $method $path', async ({ method, path }) => {
    const got = await rig.send({ method, path: path.replaceAll(/\{[a-zA-Z]+\}/g, 'x'), ...(method === 'GET' ? {} : { body: '{}' }) });
    expect(['route_not_found', 'method_not_allowed', 'internal_error']).not.toContain(got.json['code']);
  });
});

describe('an override (C-OVERRIDE)', () => {
  const holder = (principal: string, roles: readonly Role[]) => ({
    token: principal.padEnd(64, '-'),
    principal: { id: principal, roles, groups: [] },
  });
  const [operator, overrider] = [holder('user:ola', ['operator']), holder('user:ove', ['operator', 'branch.override'])] as const;
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ holders: [operator, overrider] });
  });
  afterAll(() => rig.close());

  const run = idOf('run', 'default', 'w', 'none');
  const opens = (cause: string) => ({ from: { branch: 'main', at: 0 }, cause, reason: 'so' });
  const sent = async ({ token }: { readonly token: string }, path: string, body: object) => {
    const got = await rig.send({ method: 'POST', path: `/v1/default/runs/${run}/${path}`, token, body: JSON.stringify(body) });
    return [got.status, got.json['code'], (got.json['errors'] as readonly { pointer: string }[] | undefined)?.[0]?.pointer];
  };

  it('is opened by nobody who is only an operator: it takes a role that is granted apart', async () => {
    expect(await sent(operator, 'branches', opens('override'))).toEqual([403, 'forbidden', '/cause']);
    expect(await sent(operator, 'waits/letter:fire', { reason: 'so' })).toEqual([403, 'forbidden', undefined]);
    expect(await sent(operator, 'branches', opens('correction'))).toEqual([404, 'run_not_found', undefined]);
    expect(await sent(overrider, 'branches', opens('override'))).toEqual([404, 'run_not_found', undefined]);
    expect(await sent(overrider, 'waits/letter:fire', { reason: 'so' })).toEqual([404, 'run_not_found', undefined]);
  });

  it('may be planned by anybody: a plan opens nothing', async () => {
    expect(await sent(operator, 'branches:plan', opens('override'))).toEqual([404, 'run_not_found', undefined]);
  });
});
