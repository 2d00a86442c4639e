import { Coverage } from './coverage.js';
import { mutants, MUTANT_SEEDS, type MutantId } from './mutants.js';
import { simulate, type Report } from './simulate.js';

/** What a range of seeds showed together. */
export interface Batch {
  readonly from: number;
  readonly seeds: number;
  readonly failed: readonly Report[];
  readonly coverage: Coverage;
  readonly events: number;
  readonly virtualMs: number;
}

export interface BatchOptions {
  readonly from: number;
  readonly seeds: number;
  /** Seeds that fail before the batch is given up: one is enough to know, a few to see what they share. */
  readonly failuresMax?: number;
  readonly onSeed?: (report: Report) => void;
}

/** Plays `seeds` seeds from `from` on. */
export async function playBatch({ from, seeds, failuresMax = 10, onSeed }: BatchOptions): Promise<Batch> {
  const coverage = new Coverage();
  const failed: Report[] = [];
  let [played, events, virtualMs] = [0, 0, 0];
  while (played < seeds && failed.length < failuresMax) {
    const report = await simulate(from + played);
    played += 1;
    events += report.events;
    virtualMs += report.virtualMs;
    coverage.add(report.coverage);
    if (report.findings.length > 0) failed.push(report);
    onSeed?.(report);
  }
  return { from, seeds: played, failed, coverage, events, virtualMs };
}

export interface MutantHunt {
  readonly mutant: MutantId;
  /** The first seed in which the check that is named for it fired. */
  readonly caughtAt?: number;
  readonly seeds: number;
  readonly by?: string;
}

/** Plays seeds with a planted bug until the check that must find it does. */
export async function huntMutant(mutant: MutantId, from: number, seeds = MUTANT_SEEDS): Promise<MutantHunt> {
  const named: readonly string[] = mutants[mutant].firesOneOf;
  for (let played = 0; played < seeds; played++) {
    const { findings } = await simulate(from + played, { mutant });
    const found = findings.find(({ check }) => named.includes(check));
    if (found !== undefined) return { mutant, caughtAt: from + played, seeds: played + 1, by: found.check };
  }
  return { mutant, seeds };
}

/** The line that plays a failing seed again. */
export const replayLine = ({ seed }: Report): string => `npm run sim -- --seed ${seed}`;
