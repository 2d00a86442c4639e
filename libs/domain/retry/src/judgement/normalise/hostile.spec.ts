import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isBucket } from '@cairn/domain-definition';
import { failedAt } from '../../spec/labelled-failure.js';
import type { JudgedFailure } from './failure.js';
import { normalise } from './normalise.js';

/** A megabyte read once or twice takes some ten; what looks back at each character takes minutes. */
const COST_MAX_MS = 250;

const from = (failure: Partial<JudgedFailure>) => normalise({ by: 'handler', ...failure }, failedAt);

describe('a hostile failure is normalised like any other (B-28)', () => {
  const deep: unknown = Array.from({ length: 50 }).reduce((inner) => ({ cause: inner }), { code: 'ECONNRESET' });
  const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, { code: 'E', message: 'm'.repeat(100) }]));

  it.each<[string, Partial<JudgedFailure>]>([
    ['null', { message: null as unknown as string, details: null, code: null as unknown as string }],
    ['a megabyte of stack', { message: 'at f (x.js:1:1)\n'.repeat(70_000) }],
    ['a megabyte of brackets', { message: '{'.repeat(1_000_000) }],
    ['a megabyte of blanks', { message: ' '.repeat(1_000_000) }],
    ['a megabyte that looks like a time', { message: `try again in ${'1'.repeat(1_000_000)}` }],
    ['what is left of a proxy', { details: { message: {}, cause: [], headers: 7, status: {}, body: [[[]]] } }],
    ['depth', { details: deep }],
    ['width', { details: wide }],
    ['headers that are none', { details: { headers: [1, ['retry-after'], [2, 3], ['retry-after', {}]] } }],
    ['half a character where it is cut', { code: `${'x'.repeat(127)}💥`, evidence: `${'x'.repeat(127)}💥` }],
    ['times that are none', { retryAfter: '9999-99-99', details: { headers: { 'retry-after': '1e999', 'x-ratelimit-reset': '-1' } } }],
  ])('%s', (_, failure) => {
    const began = process.cpuUsage();
    const normalised = from(failure);
    const { user, system } = process.cpuUsage(began); // Not time: who else is on this core is none of its cost.
    expect((user + system) / 1_000).toBeLessThan(COST_MAX_MS);
    expect(normalised.bucket).toBe('unclassified');
    expect(normalised.retryAfter).toBeUndefined();
    expect(normalised.code.isWellFormed() && normalised.digest.isWellFormed() && normalised.code.length <= 128).toBe(true);
  });

  it('whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue({ maxDepth: 6 }), (code, message, details) => {
        const normalised = from({ code, message, details });
        expect(isBucket(normalised.bucket)).toBe(true);
        expect(from({ code, message, details })).toEqual(normalised);
      }),
    );
  });
});

describe('evidence', () => {
  it('is equal for failures that differ in numbers, ids and times alone', () => {
    const one = from({ code: '503', message: 'request 7f3a9c21 to vendor 17 failed at 12:30' });
    const same = from({ code: '503', message: 'request 991b0d42 to vendor 4 failed at 09:11' });
    const other = from({ code: '503', message: 'request 7f3a9c21 was refused' });
    expect(one.digest).toBe(same.digest);
    expect(one.digest).not.toBe(other.digest);
  });

  it('is the handler’s own digest where it gives one', () => {
    expect(from({ evidence: 'sha256:ab' }).digest).toBe('sha256:ab');
  });
});

describe('what we saw ourselves', () => {
  it('counts as it is, whatever a handler says', () => {
    expect(from({ by: 'lease', bucket: 'auth' }).bucket).toBe('handler_lost');
    expect(from({ by: 'timeout', bucket: 'auth' }).bucket).toBe('timeout');
    expect(from({ by: 'decider', bucket: 'invalid_output', message: '429 Too Many Requests' }).bucket).toBe('invalid_output');
    expect(from({ by: 'decider', code: 'definition_error' }).bucket).toBe('definition_error');
  });
});
