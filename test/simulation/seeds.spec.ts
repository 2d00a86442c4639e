/**
 * Goal: every promise holds under every fault that a seed may draw. Method: real services in a world of virtual time, played for
 * fixed seeds, then judged by the oracle over histories alone. `npm run sim` plays fresh ones.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { playBatch, replayLine, type Batch } from '@cairn/simulation';

const FROM = 1;
const SEEDS = 2_000;
const WITHIN_MS = 480_000;

describe(`seeds ${FROM} to ${FROM + SEEDS - 1}`, () => {
  let batch: Batch;
  beforeAll(async () => {
    batch = await playBatch({ from: FROM, seeds: SEEDS });
  }, WITHIN_MS);

  it('keep every promise', () => {
    expect(batch.failed.map((report) => ({ replay: replayLine(report), findings: report.findings }))).toEqual([]);
    expect(batch.seeds).toBe(SEEDS);
  });

  it('show everything that may go wrong at least once', () => {
    expect(batch.coverage.missing()).toEqual([]);
  });
});
