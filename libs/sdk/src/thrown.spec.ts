import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { interceptors, Agent, request } from 'undici';
import { jsonWithin } from './bounded-json.js';
import { StepFailure } from './failure.js';
import { headersOf, retryAfterOf } from './headers.js';
import { failureOf } from './thrown.js';

/**
 * Goal: what an HTTP client throws reaches the history with status, headers and body, within 8 KiB and without secrets, so that the server
 * can judge it. Method: errors of real clients against a real server, and the shapes of clients that are not at hand, as data.
 */
const BODY = { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'slow down' } };
const HEADERS = { 'retry-after': '20', 'x-request-id': 'r-1', 'set-cookie': 'session=s3cret' };
const KEPT = { 'retry-after': '20', 'x-request-id': 'r-1' };

class SdkError extends Error {
  constructor(fields: object, cause?: unknown) {
    super('429 slow down', { cause });
    Object.assign(this, fields);
  }
}

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_, response) =>
    response.writeHead(429, { 'content-type': 'application/json', ...HEADERS }).end(JSON.stringify(BODY)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function thrownBy(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('errors of real clients', () => {
  it('undici with its interceptor of bad answers', async () => {
    const dispatcher = new Agent().compose(interceptors.responseError());
    const failure = failureOf(await thrownBy(() => request(url, { dispatcher })));
    expect(failure).toMatchObject({ code: '429', details: { status: 429, headers: KEPT, body: BODY } });
    expect(Date.parse(failure.retryAfter ?? '') - Date.now()).toBeGreaterThan(15_000);
    expect(JSON.stringify(failure)).not.toContain('s3cret');
    await dispatcher.close();
  });

  it("fetch's Response, thrown as it is", async () => {
    const response = await fetch(url);
    expect(failureOf(response)).toMatchObject({
      code: '429',
      message: 'the answer had status 429',
      details: { status: 429, headers: KEPT },
    });
    await response.text();
  });

  it('fetch that finds nobody: the cause says why', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const failure = failureOf(await thrownBy(() => fetch(`http://127.0.0.1:${port}/`)));
    expect(failure).toMatchObject({
      bucket: 'network',
      code: 'ECONNREFUSED',
      message: expect.stringMatching(/^fetch failed: .*127\.0\.0\.1/),
    });
  });

  it('fetch whose time is over', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const failure = failureOf(await thrownBy(() => fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(30) })));
    expect(failure).toMatchObject({ bucket: 'timeout', code: 'TimeoutError' });
    silent.closeAllConnections();
    silent.close();
  });
});

describe('shapes of other clients', () => {
  const whole = { code: '429', details: { status: 429, headers: KEPT, body: BODY } };
  it.each<[string, unknown, object]>([
    [
      'axios',
      new SdkError({ code: 'ERR_BAD_REQUEST', response: { status: 429, headers: HEADERS, data: BODY, config: { headers: HEADERS } } }),
      whole,
    ],
    ['axios, with bytes', new SdkError({ response: { status: 429, headers: HEADERS, data: Buffer.from(JSON.stringify(BODY)) } }), whole],
    [
      'got',
      new SdkError({ code: 'ERR_NON_2XX_3XX_RESPONSE', response: { statusCode: 429, headers: HEADERS, body: JSON.stringify(BODY) } }),
      whole,
    ],
    ['ky', new SdkError({ response: new Response('x', { status: 429, headers: HEADERS }), data: BODY }), whole],
    ['superagent', new SdkError({ status: 429, response: { status: 429, header: HEADERS, body: BODY } }), whole],
    ['an SDK of a model provider', new SdkError({ status: 429, headers: new Headers(HEADERS), error: BODY }), whole],
    [
      'one whose code says more',
      new SdkError({ status: 429, headers: new Map(Object.entries(HEADERS)), code: 'rate_limit_exceeded', error: BODY }),
      { ...whole, code: 'rate_limit_exceeded' },
    ],
    ['one with another spelling', new SdkError({ statusCode: 429, responseHeaders: HEADERS, responseBody: JSON.stringify(BODY) }), whole],
    [
      'the AWS SDK',
      new SdkError({ name: 'ThrottlingException', $metadata: { httpStatusCode: 429 }, $response: { headers: HEADERS, body: {} } }),
      { code: '429', details: { status: 429, headers: KEPT } },
    ],
    ['raw headers', new SdkError({ status: 429, headers: Object.entries(HEADERS).flat(), body: BODY }), whole],
    ['an error that another one caused', new SdkError({}, new SdkError({ status: 429, headers: HEADERS, body: BODY })), whole],
    ['a plain object', { status: 429, headers: HEADERS, body: BODY }, whole],
  ])('%s', (_, thrown, expected) => {
    const failure = failureOf(thrown);
    expect(failure).toMatchObject(expected);
    expect(failure.retryAfter).toBeDefined();
    expect(failure.sideEffect).toBeUndefined();
    expect(JSON.stringify(failure)).not.toContain('s3cret');
  });

  it.each([
    [{ status: 'RESOURCE_EXHAUSTED' }],
    [{ status: 7 }],
    [{ status: 1e9 }],
    [{ statusCode: '429' }],
    [{ response: null }],
    [{ headers: HEADERS }],
  ])('takes no answer from %j', (fields) => {
    expect(failureOf(new SdkError(fields)).details).toEqual({ stack: expect.any(String) });
  });

  it('keeps 8 KiB of a large answer: what tells first, and the parts of a body that stand behind a long text', () => {
    const headers = Object.fromEntries([...Array.from({ length: 90 }, (_, i) => [`x-${i}`, 'v'.repeat(90)]), ['retry-after', '20']]);
    const body = { error: { message: 'm'.repeat(100_000), code: 'overloaded', list: Array.from({ length: 10_000 }, (_, i) => i) } };
    const failure = failureOf(Object.assign(new SdkError({ status: 529, headers, error: body }), { stack: 's'.repeat(1_000_000) }));
    expect(Buffer.byteLength(JSON.stringify(failure.details))).toBeLessThanOrEqual(8_192);
    expect(failure.details).toMatchObject({
      headers: { 'retry-after': '20' },
      body: { error: { code: 'overloaded', message: expect.stringMatching(/^m{500,}… \[cut\]$/) } },
      stack: expect.stringContaining('sss'),
    });
  });
});

describe('headers', () => {
  it.each([
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
    'X-Api-Key',
    'api-key',
    'X-Goog-Api-Key',
    'X-Amz-Security-Token',
    'x-auth-token',
    'X-Client-Secret',
  ])('%s is left out', (name) => expect(headersOf({ [name]: 's3cret' })).toBeUndefined());

  it.each(['x-ratelimit-remaining-tokens', 'anthropic-ratelimit-tokens-reset', 'x-request-id', 'retry-after-ms'])('%s is kept', (name) =>
    expect(headersOf({ [name.toUpperCase()]: 7 })).toEqual({ [name]: '7' }),
  );

  const NOW = Date.UTC(2026, 10, 23, 9, 0, 0);
  it.each<[{ readonly [name: string]: string } | undefined, number | undefined]>([
    [{ 'retry-after': '20' }, NOW + 20_000],
    [{ 'retry-after': '0' }, NOW],
    [{ 'retry-after': '1.5' }, NOW + 1_500],
    [{ 'retry-after': '20', 'retry-after-ms': '350' }, NOW + 350],
    [{ 'retry-after': 'Mon, 23 Nov 2026 09:00:30 GMT' }, NOW + 30_000],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'Mon, 99 Nov 2026 09:00:30 GMT' }, undefined],
    [{ 'retry-after': '99999999999' }, undefined],
    [{ 'x-ratelimit-reset': '20' }, undefined], // Seconds, or an instant: nobody knows.
    [undefined, undefined],
  ])('retry-after of %j', (headers, at) => expect(retryAfterOf(headers, NOW)).toBe(at));
});

describe('jsonWithin', () => {
  const circle: unknown[] = [1];
  circle.push(circle);
  let deep: unknown = 'x';
  for (let i = 0; i < 100_000; i++) deep = { a: deep };
  it.each<[string, unknown, unknown]>([
    ['what JSON has', { a: [1, 'x', true, null, 0.5] }, { a: [1, 'x', true, null, 0.5] }],
    ['what JSON leaves out', { a: undefined, b: () => 1, c: Symbol('x'), d: [undefined] }, { d: [null] }],
    ['numbers that JSON has not', [NaN, Infinity, 2 ** 60, 10n], ['NaN', 'Infinity', '1152921504606847000', '10']],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a circle', circle, [1, '[circle]']],
    ['bytes', { a: new Uint8Array(1_000_000) }, { a: '[1000000 bytes]' }],
    ['half a surrogate', 'a\ud800', 'a\ufffd'],
    ['fields that reach a prototype', JSON.parse('{"__proto__": {"x": 1}, "prototype": 1, "b": 2}'), { b: 2 }],
    [
      'a getter that throws',
      Object.defineProperty({ b: 2 }, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      { b: 2, a: '[cannot be read]' },
    ],
    [
      'toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      '[cannot be read]',
    ],
  ])('%s', (_, value, expected) => expect(jsonWithin(value, 8_192)).toEqual(expected));

  it.each<[string, unknown]>([
    ['a long text', 'ü'.repeat(1_000_000)],
    ['a text of controls', '\u0000'.repeat(1_000_000)],
    ['a long list', Array.from({ length: 1_000_000 }, () => 7)],
    ['a list of holes', new Array(1_000_000_000)],
    ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`field-${i}`, { i }]))],
    ['long names', { ['n'.repeat(1_000_000)]: 1 }],
    ['depth', deep],
    [
      'width at every level',
      Array.from({ length: 40 }, () => Array.from({ length: 40 }, () => Array.from({ length: 40 }, () => ['\u0000"\\']))),
    ],
  ])('bounds %s', (_, value) => {
    for (const bytes of [512, 3_072, 8_192]) expect(Buffer.byteLength(JSON.stringify(jsonWithin(value, bytes)))).toBeLessThanOrEqual(bytes);
  });
});

describe('task.failure with a cause', () => {
  it('takes from the cause what the handler does not say', () => {
    const caught = new SdkError({ status: 503, headers: HEADERS, body: BODY });
    const { failure, cause } = new StepFailure({
      cause: caught,
      sideEffect: 'none',
      bucket: 'upstream_5xx',
      details: { page: 3, status: 'seen' },
    });
    expect(cause).toBe(caught);
    expect(failure).toMatchObject({
      bucket: 'upstream_5xx',
      code: '503',
      message: '429 slow down',
      sideEffect: 'none',
      details: { page: 3, status: 'seen', headers: KEPT, body: BODY },
    });
    expect(failure.retryAfter).toBeDefined();
  });

  it('adds to a failure that was thrown before', () => {
    const before = new StepFailure({ code: 'x', message: 'first', evidence: 'e', usage: { usd: 1 } });
    const after = new StepFailure({ cause: before, sideEffect: 'unknown' });
    expect(after.failure).toEqual({ code: 'x', message: 'first', evidence: 'e', sideEffect: 'unknown' });
  });

  it('leaves out a time that is none', () => {
    for (const retryAfter of ['soon', NaN, Infinity, new Date(NaN)])
      expect(new StepFailure({ code: 'x', retryAfter }).failure.retryAfter).toBeUndefined();
  });
});
