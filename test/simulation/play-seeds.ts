import { beforeAll, describe, expect, it } from '@jest/globals';
import { playBatch, replayLine, type Batch } from '@cairn/simulation';

const WITHIN_MS = 480_000;

/** Plays these seeds: two spec files have a half each, for two cores. Each half alone must meet everything that may go wrong. */
export function playSeeds(from: number, seeds: number): void {
  describe(`seeds ${from} to ${from + seeds - 1}`, () => {
    let batch: Batch;
    beforeAll(async () => {
      batch = await playBatch({ from, seeds });
    }, WITHIN_MS);

    it('keep every promise', () => {
      expect(batch.failed.map((report) => ({ replay: replayLine(report), findings: report.findings }))).toEqual([]);
      expect(batch.seeds).toBe(seeds);
    });

    it('show everything that may go wrong at least once', () => {
      expect(batch.coverage.missing()).toEqual([]);
    });
  });
}
