import { describe, expect, it } from '@jest/globals';
import { usdOf } from './person.js';

describe('what a person types for an amount', () => {
  it.each([
    ['1000', 1_000],
    ['$12.5', 12.5],
    ['0.01', 0.01],
  ])('%s is %d dollars', (text, usd) => {
    expect(usdOf(text)).toBe(usd);
  });

  it.each(['', '0', '-5', '1e999', '1e3', 'Infinity', '0x10', '1,000', '12.345', '{bad', '1'.repeat(400)])(
    '%s is none, and is asked for again',
    (text) => {
      expect(usdOf(text)).toBeUndefined();
    },
  );
});
