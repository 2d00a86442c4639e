import { describe, expect, it } from '@jest/globals';
import type { Bucket } from '@cairn/domain-definition';
import type { JsonObject } from '@cairn/kernel';
import { failedAt } from '../../spec/labelled-failure.js';
import { parseHttpDate } from './http-date.js';
import { normalise } from './normalise.js';

const timeIn = (details: JsonObject, bucket: Bucket = 'rate_limited', message = ''): string | undefined =>
  normalise({ by: 'handler', bucket, message, details }, failedAt).retryAfter;

describe('the provider’s time', () => {
  it.each<[string, JsonObject, string | undefined]>([
    ['Retry-After in seconds', { headers: { 'retry-after': '90' } }, '2026-11-24T08:01:30.000Z'],
    ['Retry-After as a date', { headers: { 'Retry-After': 'Tue, 24 Nov 2026 08:00:10 GMT' } }, '2026-11-24T08:00:10.000Z'],
    ['milliseconds go before seconds', { headers: { 'retry-after-ms': '1500', 'retry-after': '2' } }, '2026-11-24T08:00:01.500Z'],
    ['x-ms-retry-after-ms', { headers: { 'x-ms-retry-after-ms': '250' } }, '2026-11-24T08:00:00.250Z'],
    ['an epoch in seconds', { headers: { 'x-ratelimit-reset': '1795507260' } }, '2026-11-24T08:01:00.000Z'],
    ['an epoch in milliseconds', { headers: { 'x-ratelimit-reset': '1795507260500' } }, '2026-11-24T08:01:00.500Z'],
    ['RateLimit-Reset, seconds from now', { headers: { 'RateLimit-Reset': '30' } }, '2026-11-24T08:00:30.000Z'],
    ['minutes and seconds', { headers: { 'x-ratelimit-reset-requests': '6m0s' } }, '2026-11-24T08:06:00.000Z'],
    [
      'the limit of which nothing remains',
      {
        headers: {
          'x-ratelimit-remaining-requests': '12',
          'x-ratelimit-reset-requests': '6m0s',
          'x-ratelimit-remaining-tokens': '0',
          'x-ratelimit-reset-tokens': '900ms',
        },
      },
      '2026-11-24T08:00:00.900Z',
    ],
    ['a field of the body', { body: '{"error":{"retryAfterMs":1200}}' }, '2026-11-24T08:00:01.200Z'],
    ['a delay of Google', { body: { details: [{ retryDelay: '3.5s' }] } }, '2026-11-24T08:00:03.500Z'],
    ['a sentence', { body: { message: 'Please retry after 1 minute and 5 seconds.' } }, '2026-11-24T08:01:05.000Z'],
    ['the past', { headers: { 'retry-after': 'Tue, 24 Nov 2026 07:00:00 GMT' } }, undefined],
    ['now', { headers: { 'retry-after': '0' } }, undefined],
    ['nonsense', { headers: { 'retry-after': 'soon', 'x-ratelimit-reset': 'later' } }, undefined],
    ['the end of time, which no policy waits for', { headers: { 'retry-after': '99999999999999999999' } }, '2036-11-21T08:00:00.000Z'],
  ])('%s', (_, details, expected) => {
    expect(timeIn(details)).toBe(expected);
  });

  it('is no reset of a limit where the failure is none of rate', () => {
    expect(timeIn({ headers: { 'x-ratelimit-reset': '30' } }, 'upstream_5xx')).toBeUndefined();
    expect(timeIn({ headers: { 'retry-after': '30' } }, 'upstream_5xx')).toBe('2026-11-24T08:00:30.000Z');
  });
});

describe('an HTTP date', () => {
  it('has three forms (RFC 9110 §5.6.7)', () => {
    const texts = ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'];
    expect(texts.map(parseHttpDate)).toEqual([784_111_777_000, 784_111_777_000, 784_111_777_000]);
    expect(['', '06 Nov 1994', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT'].map(parseHttpDate)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
