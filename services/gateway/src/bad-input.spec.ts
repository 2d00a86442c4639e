import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BODY_BYTES_MAX, PROBLEM_TYPE_BASE } from '@cairn/contracts';
import { idOf } from '@cairn/kernel';
import { openRig, type Rig, type Sent } from './spec/rig.js';

const ID = idOf('run', 'default', 'w', 'k');
const EVENT = { specversion: '1.0', id: 'e1', source: '/erp', type: 'erp.order.placed.v1', data: {} };
const start = (body: string | Buffer, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path: '/v1/default/workflows/w/runs',
  body,
  headers,
});
const publish = (event: unknown, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path: '/v1/default/events',
  body: JSON.stringify(event),
  headers,
});
const frame = (body: unknown): Sent => ({
  method: 'POST',
  path: '/v1/default/work:exchange',
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const FRAME = { session: ID, seq: 1, handler: 'h/1', queues: {}, held: [], replies: [] };
const REPLY = {
  specversion: '1.0',
  id: `${ID}:end`,
  source: '/h/1',
  type: 'cairn.reply.succeeded.v1',
  data: { lease: { attemptId: ID, branch: 'main', epoch: 1 }, output: {} },
};
const reply = (event: unknown): Sent => ({ method: 'POST', path: `/v1/default/work/${ID}:reply`, body: JSON.stringify(event) });
const define = (body: string, headers: Record<string, string> = {}, name = 'w'): Sent => ({
  method: 'PUT',
  path: `/v1/default/definitions/${name}`,
  body,
  headers,
});
const YAML = { 'content-type': 'application/yaml' };
const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

interface Row {
  /** The row of `reliability.md` §7. */
  readonly row: string;
  readonly what: string;
  readonly sent: Sent;
  readonly status: number;
  readonly code: string;
  /** Where the first error points, if it does. */
  readonly pointer?: string;
}

const json = (row: string, what: string, body: string | Buffer): Row => ({
  row,
  what,
  sent: start(body),
  status: 400,
  code: 'invalid_json',
});
const badId = (what: string, id: string): Row => ({
  row: 'B-10',
  what,
  sent: { path: `/v1/default/runs/${id}` },
  status: 400,
  code: 'invalid_id',
});

const control = (row: string, what: string, run: string, body: string, status: number, code: string, pointer?: string): Row => ({
  row,
  what,
  sent: { method: 'POST', path: `/v1/default/runs/${run}:pause`, body },
  status,
  code,
  ...(pointer === undefined ? {} : { pointer }),
});
const bucketWith = (more: object): object => ({
  timeout: { retry: true, attempts: 3, expects: 'time_passes', backoff: { kind: 'fixed', first: '1s' }, ...more },
  unclassified: { retry: false, escalate: 'triage' },
});
/** B-22: a policy with one thing wrong. */
const policy = (what: string, more: object, pointer: string): Row => ({
  row: 'B-22',
  what: `a policy with ${what}`,
  sent: {
    method: 'PUT',
    path: '/v1/default/policies/calm',
    body: JSON.stringify({ cairn: 1, policy: 'calm', buckets: bucketWith({}), onExhausted: ['block'], ...more }),
  },
  status: 422,
  code: 'policy_invalid',
  pointer,
});

const rows: readonly Row[] = [
  json('B-1', 'truncated JSON', '{"input":'),
  json('B-1', 'wrong JSON', '{input:1}'),
  json('B-1', 'a byte order mark', '\ufeff{}'),
  json('B-1', 'trailing garbage', '{} {}'),
  json('B-1', 'white space alone', '  '),
  json('B-1', 'nothing at all', ''),
  {
    row: 'B-1',
    what: 'nothing at all where an event must be',
    sent: { method: 'POST', path: '/v1/default/events' },
    status: 400,
    code: 'invalid_json',
  },
  { row: 'B-2', what: 'a byte too many', sent: start(`{"input":"${'x'.repeat(BODY_BYTES_MAX)}"}`), status: 413, code: 'body_too_large' },
  { row: 'B-3', what: 'a compressed body', sent: start('{}', { 'content-encoding': 'gzip' }), status: 415, code: 'media_type_unsupported' },
  json('B-4', 'depth of 10,000', deep(10_000)),
  json('B-4', 'depth of 65', `{"input":${deep(64)}}`),
  json('B-4', '21,000 fields', `{"input":{${Array.from({ length: 21_000 }, (_, i) => `"${i}":0`).join()}}}`),
  json('B-4', 'a number beyond a double', '{"input":1e999}'),
  json('B-4', 'an integer of 2^53 + 1', '{"input":9007199254740993}'),
  json('B-4', 'a negative integer below -2^53', '{"input":-9007199254740993}'),
  json('B-5', '__proto__', '{"input":{"__proto__":{"polluted":1}}}'),
  json('B-5', '__proto__ in escapes', '{"input":{"\\u005f_proto__":{"polluted":1}}}'),
  json('B-5', 'constructor.prototype', '{"input":{"constructor":{"prototype":{"polluted":1}}}}'),
  json('B-5', 'prototype', '{"input":{"prototype":1}}'),
  json('B-6', 'a field twice', '{"key":"a","key":"b"}'),
  json('B-6', 'a field twice, once in escapes', '{"key":"a","\\u006bey":"b"}'),
  json('B-7', 'bytes that are no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])),
  json('B-7', 'half a surrogate pair', '{"input":"\\ud800"}'),
  { row: 'B-7', what: 'a NUL in a key', sent: start('{"key":"a\\u0000b"}'), status: 400, code: 'invalid_body', pointer: '/key' },
  {
    row: 'B-7',
    what: 'a bidirectional override in an id',
    sent: publish({ ...EVENT, id: 'a\u202eb' }),
    status: 400,
    code: 'invalid_body',
    pointer: '/id',
  },
  {
    row: 'B-8',
    what: 'an unknown field of a command',
    sent: start('{"inputs":{}}'),
    status: 400,
    code: 'unknown_field',
    pointer: '/inputs',
  },
  {
    row: 'B-8',
    what: 'an unknown field of a frame',
    sent: frame({ ...FRAME, secret: 1 }),
    status: 400,
    code: 'invalid_body',
    pointer: '/secret',
  },
  { row: 'B-9', what: 'text as JSON', sent: start('{}', { 'content-type': 'text/plain' }), status: 415, code: 'media_type_unsupported' },
  {
    row: 'B-9',
    what: 'a form',
    sent: start('input=1', { 'content-type': 'application/x-www-form-urlencoded' }),
    status: 415,
    code: 'media_type_unsupported',
  },
  {
    row: 'B-9',
    what: 'another character set',
    sent: start('{}', { 'content-type': 'application/json; charset=latin1' }),
    status: 415,
    code: 'media_type_unsupported',
  },
  {
    row: 'B-9',
    what: 'a batch of events',
    sent: publish([EVENT], { 'content-type': 'application/cloudevents-batch+json' }),
    status: 415,
    code: 'media_type_unsupported',
  },
  {
    row: 'B-9',
    what: 'a file path in a body',
    sent: start('{"files":[{"filepath":"/etc/passwd"}]}'),
    status: 400,
    code: 'unknown_field',
    pointer: '/files',
  },
  badId('dots', 'a.b'),
  badId('a wildcard', '*'),
  badId('the rest of a subject', '%3E'),
  badId('a plus', `${ID}%2Bmain`),
  badId('a minus', `run-${ID}`),
  badId('a slash', 'a%2Fb'),
  badId('a dollar', '$ce-run'),
  badId('white space', 'a%20b'),
  badId('CR and LF', 'a%0d%0aSUB%20%3E'),
  badId('a percent-encoded dot', `${ID.slice(0, 25)}%2e`),
  badId('5,000 characters', 'a'.repeat(5_000)),
  badId('upper case', ID.toUpperCase()),
  badId('a broken escape', '%zz'),
  badId('nothing', ''),
  {
    row: 'B-11',
    what: 'bus protocol in a namespace',
    sent: { path: '/v1/a%201%0d%0ax%0d%0aPUB%20b/runs' },
    status: 400,
    code: 'invalid_namespace',
  },
  {
    row: 'B-11',
    what: 'bus protocol in a name',
    sent: { method: 'POST', path: '/v1/default/workflows/a%0d%0ab/runs', body: '{}' },
    status: 400,
    code: 'invalid_name',
  },
  { row: 'B-11', what: 'a namespace that does not exist', sent: { path: '/v1/other/runs' }, status: 404, code: 'namespace_not_found' },
  { row: 'B-12', what: '$ce-run', sent: { path: '/v1/default/definitions/$ce-run' }, status: 400, code: 'invalid_name' },
  { row: 'B-12', what: '$$run-1', sent: { path: '/v1/default/runs/$$run-1' }, status: 400, code: 'invalid_id' },
  { row: 'B-12', what: 'run-1@x', sent: { path: '/v1/default/runs/run-1@x' }, status: 400, code: 'invalid_id' },
  {
    row: 'B-12',
    what: '$all as an event type',
    sent: publish({ ...EVENT, type: '$all' }),
    status: 400,
    code: 'invalid_body',
    pointer: '/type',
  },
  { row: 'B-12', what: '$et- as a receipt', sent: { path: '/v1/default/events/$et-x' }, status: 400, code: 'invalid_id' },
  {
    row: 'B-16',
    what: 'a signal for an unknown run',
    sent: { method: 'POST', path: `/v1/default/runs/${ID}/signals/go`, body: '{}' },
    status: 404,
    code: 'run_not_found',
  },
  control('B-10', 'a run that is no id', 'a.b', '{}', 400, 'invalid_id'),
  control('B-46', 'a run that is not there', ID, '{}', 404, 'run_not_found'),
  control('B-7', 'a NUL in a reason', ID, '{"reason":"a\\u0000b"}', 400, 'invalid_body', '/reason'),
  control('B-8', 'an unknown field of a control', ID, '{"because":"so"}', 400, 'unknown_field', '/because'),
  control('B-46', 'a reason that is no text', ID, '{"reason":7}', 400, 'invalid_body', '/reason'),
  control('B-46', 'a reason of 1,025 characters', ID, `{"reason":"${'x'.repeat(1_025)}"}`, 400, 'invalid_body', '/reason'),
  control('B-1', 'wrong JSON in a control', ID, '{reason}', 400, 'invalid_json'),
  {
    row: 'B-46',
    what: 'a verb that is none',
    sent: { method: 'POST', path: `/v1/default/runs/${ID}:kill`, body: '{}' },
    status: 405,
    code: 'method_not_allowed',
  },
  { row: 'B-10', what: 'why of no id', sent: { path: '/v1/default/runs/x/why' }, status: 400, code: 'invalid_id' },
  { row: 'B-10', what: 'why of an unknown run', sent: { path: `/v1/default/runs/${ID}/why` }, status: 404, code: 'run_not_found' },
  {
    row: 'B-10',
    what: 'effects of an unknown run',
    sent: { path: `/v1/default/runs/${ID}/effects/a%2Fb` },
    status: 404,
    code: 'run_not_found',
  },
  {
    row: 'B-39',
    what: 'a query that retries do not take',
    sent: { path: `/v1/default/runs/${ID}/retries?attempt=1` },
    status: 400,
    code: 'invalid_query',
    pointer: '/attempt',
  },
  { row: 'B-12', what: 'a policy named $all', sent: { path: '/v1/default/policies/$all' }, status: 400, code: 'invalid_name' },
  { row: '-', what: 'a policy that is not there', sent: { path: '/v1/default/policies/calm' }, status: 404, code: 'policy_not_found' },
  {
    row: 'B-39',
    what: 'a version 0 of a policy',
    sent: { path: '/v1/default/policies/calm?version=0' },
    status: 400,
    code: 'invalid_query',
    pointer: '/version',
  },
  policy('a name that is not the path', { policy: 'other' }, '/policy'),
  policy('no attempts', { buckets: bucketWith({ attempts: 0 }) }, '/buckets/timeout/attempts'),
  policy('attempts of -1', { buckets: bucketWith({ attempts: -1 }) }, '/buckets/timeout/attempts'),
  policy('attempts as text', { buckets: bucketWith({ attempts: '3' }) }, '/buckets/timeout/attempts'),
  policy('a billion attempts', { buckets: bucketWith({ attempts: 1e9 }) }, '/buckets/timeout/attempts'),
  policy('a backoff of nothing', { buckets: bucketWith({ backoff: { kind: 'fixed', first: '0s' } }) }, '/buckets/timeout/backoff/first'),
  policy('no end', { onExhausted: [] }, '/onExhausted'),
  policy('an unknown field', { retries: 3 }, '/retries'),
  {
    row: 'B-20',
    what: 'a time of the year 275760',
    sent: publish({ ...EVENT, time: '+275760-09-13T00:00:00Z' }),
    status: 400,
    code: 'invalid_body',
    pointer: '/time',
  },
  { row: 'B-20', what: 'NaN', sent: start('{"input":NaN}'), status: 400, code: 'invalid_json' },
  {
    row: 'B-23',
    what: 'a definition without steps',
    sent: define('{"cairn":1,"name":"w","version":"1.0.0"}'),
    status: 422,
    code: 'definition_invalid',
  },
  {
    row: 'B-23',
    what: 'a name that is not the path',
    sent: define('{"cairn":1,"name":"v","version":"1.0.0","steps":[{"id":"a","task":{"queue":"q"}}]}'),
    status: 422,
    code: 'definition_invalid',
    pointer: '/name',
  },
  {
    row: 'B-24',
    what: 'JavaScript in an expression',
    sent: define(
      '{"cairn":1,"name":"w","version":"1.0.0","steps":[{"id":"a","task":{"queue":"q"},"when":"constructor.constructor(\\"return process\\")()"}]}',
    ),
    status: 422,
    code: 'definition_invalid',
  },
  {
    row: 'B-29',
    what: "another attempt's lease",
    sent: reply({
      ...REPLY,
      id: `${idOf('attempt', 'x')}:end`,
      data: { ...REPLY.data, lease: { ...REPLY.data.lease, attemptId: idOf('attempt', 'x') } },
    }),
    status: 400,
    code: 'invalid_body',
    pointer: '/data/lease/attemptId',
  },
  {
    row: 'B-29',
    what: "another attempt's reply id",
    sent: reply({ ...REPLY, id: `${idOf('attempt', 'x')}:end` }),
    status: 400,
    code: 'invalid_body',
    pointer: '/id',
  },
  {
    row: 'B-29',
    what: "another attempt's reply id in a frame",
    sent: frame({ ...FRAME, replies: [{ ...REPLY, id: `${idOf('attempt', 'x')}:end` }] }),
    status: 400,
    code: 'invalid_body',
    pointer: '/replies/0/id',
  },
  {
    row: 'B-29',
    what: 'an output over 64 KiB with evidence in a frame',
    sent: frame({ ...FRAME, replies: [{ ...REPLY, data: { ...REPLY.data, output: 'x'.repeat(65_536), evidence: 'e' } }] }),
    status: 400,
    code: 'invalid_body',
    pointer: '/replies/0/data/output',
  },
  {
    row: 'B-29',
    what: 'a reply of no kind',
    sent: reply({ ...REPLY, type: 'cairn.reply.maybe.v1' }),
    status: 400,
    code: 'invalid_body',
    pointer: '/type',
  },
  {
    row: 'B-29',
    what: 'a reply of no kind in a frame',
    sent: frame({ ...FRAME, replies: [{ ...REPLY, type: 'cairn.reply.maybe.v1' }] }),
    status: 400,
    code: 'invalid_body',
    pointer: '/replies/0/type',
  },
  {
    row: 'B-29',
    what: 'a lease without attempt in a frame',
    sent: frame({ ...FRAME, replies: [{ ...REPLY, data: { output: 1 } }] }),
    status: 400,
    code: 'invalid_body',
    pointer: '/replies/0/data/lease',
  },
  {
    row: 'B-29',
    what: 'an output over 64 KiB in a frame',
    sent: frame({ ...FRAME, replies: [{ ...REPLY, data: { ...REPLY.data, output: 'x'.repeat(65_536) } }] }),
    status: 400,
    code: 'invalid_body',
    pointer: '/replies/0/data/output',
  },
  {
    row: 'B-4',
    what: 'a number beyond a double in a frame',
    sent: frame(JSON.stringify(FRAME).replace('"seq":1', '"seq":1e999')),
    status: 400,
    code: 'invalid_json',
  },
  {
    row: 'B-5',
    what: '__proto__ in a frame',
    sent: frame(`${JSON.stringify(FRAME).slice(0, -1)},"__proto__":{"polluted":1}}`),
    status: 400,
    code: 'invalid_json',
  },
  {
    row: 'B-10',
    what: 'a session that is no id',
    sent: frame({ ...FRAME, session: 'a.>' }),
    status: 400,
    code: 'invalid_body',
    pointer: '/session',
  },
  {
    row: 'B-39',
    what: 'a limit of 1e9',
    sent: { path: '/v1/default/runs?limit=1000000000' },
    status: 400,
    code: 'invalid_query',
    pointer: '/limit',
  },
  {
    row: 'B-39',
    what: 'a negative limit',
    sent: { path: '/v1/default/runs?limit=-1' },
    status: 400,
    code: 'invalid_query',
    pointer: '/limit',
  },
  { row: 'B-39', what: 'an edited cursor', sent: { path: '/v1/default/runs?cursor=p%27--' }, status: 400, code: 'invalid_cursor' },
  {
    row: 'B-39',
    what: 'an unknown sort',
    sent: { path: '/v1/default/runs?sort=evil' },
    status: 400,
    code: 'invalid_query',
    pointer: '/sort',
  },
  {
    row: 'B-39',
    what: 'a parameter given twice',
    sent: { path: '/v1/default/runs?state=active&state=waiting' },
    status: 400,
    code: 'invalid_query',
    pointer: '/state',
  },
  {
    row: 'B-39',
    what: 'a query where none is taken',
    sent: { method: 'POST', path: '/v1/default/workflows/w/runs?key=V-1', body: '{}' },
    status: 400,
    code: 'invalid_query',
  },
  { row: 'B-40', what: 'a path that climbs', sent: { path: '/v1/default/definitions/..%2f..%2fetc' }, status: 400, code: 'invalid_name' },
  {
    row: 'B-40',
    what: 'YAML that multiplies by aliases',
    sent: define(`a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`, YAML),
    status: 422,
    code: 'definition_invalid',
  },
  { row: 'B-40', what: 'a YAML tag', sent: define('cairn: !!js/function "function(){}"\n', YAML), status: 422, code: 'definition_invalid' },
  { row: '-', what: 'a route that is none', sent: { path: '/v1/default/nothing' }, status: 404, code: 'route_not_found' },
  {
    row: '-',
    what: 'a method that a route has not',
    sent: { method: 'DELETE', path: '/v1/default/runs' },
    status: 405,
    code: 'method_not_allowed',
  },
  {
    row: '-',
    what: 'an Idempotency-Key with a control',
    sent: start('{}', { 'idempotency-key': 'a\tb' }),
    status: 400,
    code: 'invalid_header',
  },
  {
    row: '-',
    what: 'a ce- header that is not percent-encoded',
    sent: publish({}, { 'ce-specversion': '1.0', 'ce-id': '%zz', 'ce-source': '/x', 'ce-type': 'a.b' }),
    status: 400,
    code: 'invalid_header',
  },
];

describe('bad input at the HTTP edge', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.asked.length = 0;
    rig.worked.length = 0;
  });

  it.each(rows)('$row: $what', async ({ sent, status, code, pointer }) => {
    const got = await rig.send(sent);

    expect({ status: got.status, code: got.json['code'] }).toEqual({ status, code });
    expect(got.headers['content-type']).toBe('application/problem+json');
    expect(got.json).toMatchObject({ type: PROBLEM_TYPE_BASE + code.replaceAll('_', '-'), status });
    const errors = got.json['errors'] as readonly { pointer: string; rule: string; says: string }[] | undefined;
    if (pointer !== undefined) expect(errors?.map((error) => error.pointer)).toContain(pointer);
    if (code === 'definition_invalid') expect(errors).not.toHaveLength(0);
    expect(got.text).not.toMatch(/\.(ts|js):\d+/); // No stack.
    expect(got.text).not.toContain('polluted'); // No echo.
    expect((Object.prototype as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(rig.asked).toEqual([]);
    expect(rig.worked).toEqual([]);
    expect(rig.store.allEvents()).toEqual([]);
    expect(rig.bugs).toEqual([]);
  });

  it('names every fault of a body, not the first (B-8)', async () => {
    const got = await rig.send(start('{"key":"","extra":1,"other":2,"attributes":{"A":1}}'));
    const pointers = (got.json['errors'] as readonly { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/key', '/extra', '/other', '/attributes/A']));
  });

  it.each(['workflows/w/runs', 'events', 'work:exchange'])(
    'tells a client of a body of 10 MB at %s, which reads no answer while it writes (B-4)',
    async (path) => {
      // Several at once: whether a closed connection or the answer comes first is a race.
      const statuses = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const answer = await fetch(`http://127.0.0.1:${rig.port}/v1/default/${path}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${'c'.repeat(64)}`, 'content-type': 'application/json' },
            body: 'x'.repeat(10 * 1024 * 1024),
          });
          return answer.status;
        }),
      );
      expect(statuses).toEqual(Array(8).fill(413));
    },
  );

  it('ends an endless body as soon as it is too large (B-2)', async () => {
    const { request } = await import('node:http');
    const status = await new Promise<number>((resolve, reject) => {
      const sending = request({
        host: '127.0.0.1',
        port: rig.port,
        method: 'POST',
        path: '/v1/default/events',
        headers: { authorization: `Bearer ${'c'.repeat(64)}`, 'content-type': 'application/json' },
      });
      let sent = 0;
      const chunk = Buffer.alloc(65_536, 0x20);
      const pump = (): void => {
        if (sending.destroyed || sent > 64 * BODY_BYTES_MAX) return;
        sent += chunk.length;
        sending.write(chunk, pump);
      };
      sending.on('response', (response) => {
        response.resume();
        sending.destroy();
        resolve(response.statusCode ?? 0);
      });
      sending.on('error', reject);
      pump();
    });
    expect(status).toBe(413);
  });
});
