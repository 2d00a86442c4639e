import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { paragraphsOf } from './paragraphs.js';
import { read } from './reading.js';

describe('the specialist reads real text', () => {
  const text = readFileSync(new URL('../documents/offer-brightwater.txt', import.meta.url), 'utf8');
  const findings = paragraphsOf(text).map(read);

  it('finds every amount and the dates of the offer', () => {
    expect(findings.flatMap(({ amounts }) => amounts)).toEqual([9_600, 1_850, 120, 400]);
    expect(findings.flatMap(({ dates }) => dates)).toEqual(
      expect.arrayContaining(['12 November 2026', '15 December 2026', '30 November 2026']),
    );
  });

  it('hears the friendly paragraph and the unpleasant one', () => {
    const tones = findings.map(({ sentiment }) => sentiment);
    expect(Math.max(...tones)).toBeGreaterThan(0.2);
    expect(Math.min(...tones)).toBeLessThan(-0.1);
  });
});
