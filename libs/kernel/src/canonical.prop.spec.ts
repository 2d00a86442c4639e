// Goal: `canon` gives the bytes of RFC 8785 on its fast path as on its slow one, and refuses what JSON cannot hold on both.
// Method: random values, keys chosen to hurt (integer-like, beyond the BMP, shadowing), compared with `canonicalize`.
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canon, JSON_DEPTH_MAX } from './canonical.js';

const hurtfulKeys = fc.constantFrom(
  '10',
  '9',
  '01',
  '-1',
  '1e3',
  '4294967295',
  'é',
  '\u{1f600}',
  '\ue000',
  '',
  'toJSON',
  'a',
  'b',
  'length',
);
const key = fc.oneof(hurtfulKeys, fc.string({ unit: 'grapheme' })).filter((text) => text !== '__proto__');
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -0, 1e21, 1e-7, 5e-324, Number.MAX_SAFE_INTEGER, 'plain', '\u2028"\\\n\u0001'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(key, fc.oneof({ weight: 8, arbitrary: tie('json') }, { weight: 1, arbitrary: fc.constant(undefined) }), { maxKeys: 6 }),
  ),
}));

const nested = (levels: number, innermost: unknown = 1): unknown =>
  Array.from({ length: levels }).reduce((inner: unknown, _, i) => (i % 2 === 0 ? { z: inner, a: 1 } : [inner]), innermost);

describe('canonical JSON', () => {
  it('equals the reference implementation for whatever JSON holds', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canon(value)).toBe(canonicalize(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('survives a round trip through its own text, in whatever order the keys came', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canon(value);
        expect(canon(JSON.parse(text))).toBe(text);
        expect(canon(reversed(value))).toBe(text);
      }),
    );
  });

  it('keeps integer-like keys in code-unit order, where JavaScript would put them first by number', () => {
    expect(canon({ '9': 1, a: { b: [{ '100': 1, '20': 2 }] }, '10': 3, '-': 4 })).toBe('{"-":4,"10":3,"9":1,"a":{"b":[{"100":1,"20":2}]}}');
  });

  it('takes a member named toJSON for what it is: data', () => {
    expect(canon({ toJSON: 1, a: 2 })).toBe('{"a":2,"toJSON":1}');
  });

  it('does not change the value that it is given', () => {
    const value = { b: { d: 1, c: 2 }, a: [{ z: 1, y: 2 }] };
    canon(value);
    expect(JSON.stringify(value)).toBe('{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}');
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  it.each([
    ['NaN', NaN],
    ['an infinity', -Infinity],
    ['a lone high surrogate', '\ud800'],
    ['a lone low surrogate', 'a\udc00b'],
    ['a lone surrogate in a key', { 'a\ud800': 1 }],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['undefined in a list', [undefined]],
    ['the key __proto__', JSON.parse('{"__proto__":1}')],
    ['a date', new Date(0)],
    ['a cycle', cycle],
    ['depth 10,000', nested(10_000)],
  ])('refuses %s, alone and beside a key that takes the slow path', (_, value) => {
    expect(() => canon(value)).toThrow(TypeError);
    expect(() => canon({ '1': 0, value })).toThrow(TypeError);
    expect(() => canon([{ '1': 0 }, { a: value }])).toThrow(TypeError);
  });

  it('has room for a value of the greatest depth that a door lets through, wrapped by a document that is as deep', () => {
    const fromOutside = nested(JSON_DEPTH_MAX);
    const wrapped = { input: nested(JSON_DEPTH_MAX, fromOutside) };
    expect(canon(wrapped)).toBe(canonicalize(wrapped));
  });
});

/** The same value with all keys inserted the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}
