// Goal: instants agree with the calendar of the platform, which the domain itself may not touch.
// Method: random points in time and random texts, compared with `Date`.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { after, epochMsOf, instantOf, parseRfc3339 } from './instants.js';

const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');
const epochMs = fc.integer({ min: FIRST, max: LAST });

describe('instants', () => {
  it('are written as Date writes them, and read back', () => {
    fc.assert(
      fc.property(epochMs, (ms) => {
        expect(instantOf(ms)).toBe(new Date(ms).toISOString());
        expect(epochMsOf(instantOf(ms))).toBe(ms);
      }),
      { numRuns: 2_000 },
    );
  });

  it('hold at the edges of days, months, centuries and of what can be written', () => {
    for (const edge of [
      '0000-01-01',
      '0000-02-29',
      '0000-03-01',
      '1600-02-29',
      '1900-03-01',
      '1969-12-31',
      '1970-01-01',
      '2000-02-29',
      '2100-03-01',
      '9999-12-31',
    ]) {
      for (const time of ['00:00:00.000', '00:00:00.001', '23:59:59.999'])
        expect(instantOf(Date.parse(`${edge}T${time}Z`))).toBe(`${edge}T${time}Z`);
    }
    for (const beyond of [FIRST - 1, LAST + 1, NaN, 0.5, 1e300]) expect(() => instantOf(beyond)).toThrow(RangeError);
  });

  it('sort as text as they do as numbers', () => {
    fc.assert(
      fc.property(epochMs, epochMs, (a, b) => {
        expect(instantOf(a) < instantOf(b)).toBe(a < b);
      }),
    );
  });

  it('add milliseconds', () => {
    expect(after('2024-02-28T23:59:59.500Z', 86_400_500)).toBe('2024-03-01T00:00:00.000Z');
    expect(after('2024-03-01T00:00:00.000Z', -1)).toBe('2024-02-29T23:59:59.999Z');
  });

  it.each([
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.0000Z',
    '2024-01-01t00:00:00.000z',
    '2024-01-01T00:00:60.000Z',
    '2024-02-30T00:00:00.000Z',
    '',
    'now',
  ])('are not %j, which we never wrote', (text) => {
    expect(() => epochMsOf(text)).toThrow(RangeError);
  });
});

describe('RFC 3339 texts from outside', () => {
  it('mean what Date takes them for, in any zone', () => {
    fc.assert(
      fc.property(
        epochMs,
        fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
        fc.integer({ min: 0, max: 999_999_999 }),
        (ms, zone, nanos) => {
          const local = ms - (((ms % 1000) + 1000) % 1000) + zone * 60_000;
          if (local < FIRST || local > LAST) return;
          const [hours, minutes] = [Math.trunc(Math.abs(zone) / 60), Math.abs(zone) % 60].map((part) => String(part).padStart(2, '0'));
          const text = `${new Date(local).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}${zone < 0 ? '-' : '+'}${hours}:${minutes}`;
          expect(parseRfc3339(text)).toBe(local - zone * 60_000 + Math.floor(nanos / 1_000_000));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['2024-01-01T00:00:00Z', Date.parse('2024-01-01T00:00:00Z')],
    ['2024-01-01t00:00:00z', Date.parse('2024-01-01T00:00:00Z')],
    ['2016-12-31T23:59:60Z', Date.parse('2017-01-01T00:00:00Z')],
    ['2024-01-01T00:00:00.1-00:00', Date.parse('2024-01-01T00:00:00.100Z')],
  ])('take %s', (text, ms) => {
    expect(parseRfc3339(text)).toBe(ms);
  });

  it.each([
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00:00.Z',
    '2024-01-01 00:00:00Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '+12024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Z\n',
  ])('refuse %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
