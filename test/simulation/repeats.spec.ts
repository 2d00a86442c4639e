/** Goal: a seed is all that a run of the world depends on. Method: play it twice, compare the hashes of everything that happened. */
import { describe, expect, it } from '@jest/globals';
import { simulate } from '@cairn/simulation';

const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89];

describe('the same seed', () => {
  it.each(SEEDS.map((seed) => [seed]))('%i happens the same way twice', async (seed) => {
    const [first, second] = [await simulate(seed), await simulate(seed)];
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.findings).toEqual(first.findings);
    expect(second.events).toBe(first.events);
  });

  it('and another seed happen differently', async () => {
    const hashes = [await simulate(1), await simulate(2)] as const;
    expect(hashes[0].traceHash).not.toBe(hashes[1].traceHash);
  });
});
