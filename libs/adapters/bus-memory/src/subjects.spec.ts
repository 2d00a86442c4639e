import { describe, expect, it } from '@jest/globals';
import { matches, overlap, parseFilter } from './subjects.js';

describe('subject filters', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c.d', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['a.*.c.>', 'a.b.c.d', true],
    ['a.*.c.>', 'a.b.x.d', false],
  ])('%s and %s: %s', (filter, subject, expected) => {
    expect(matches(parseFilter(filter), subject.split('.'))).toBe(expected);
  });

  it.each([
    ['a.b', 'a.b', true],
    ['a.*', '*.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', '*.c.*', true],
    ['a.b', 'a.c', false],
    ['a.*', 'a.b.c', false],
    ['a.>', 'b.>', false],
    ['a.>', 'a', false],
  ])('%s overlaps %s: %s', (one, other, expected) => {
    expect(overlap(parseFilter(one), parseFilter(other))).toBe(expected);
    expect(overlap(parseFilter(other), parseFilter(one))).toBe(expected);
  });
});
