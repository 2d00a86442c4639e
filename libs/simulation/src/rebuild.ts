import type { FoldReport } from '@cairn/application';
import type { Finding } from './finding.js';
import type { Process } from './process/process.js';
import type { World } from './world/world.js';

/** Virtual time in which every fold must have met the live one. */
const BUDGET_MS = 120_000;
const STEP_MS = 1_000;

/**
 * C-TRUTH: what each service has folded live, through crashes, checkpoints and tails that told events twice, must be what the history gives
 * from its first event on.
 */
export async function rebuildAll(world: World, processes: readonly Process[]): Promise<readonly Finding[]> {
  const reports: { readonly process: string; readonly report: FoldReport }[] = [];
  const folds = processes.flatMap(({ name, folds }) => folds.all().map((fold) => ({ name, fold })));
  for (const { name, fold } of folds) void fold.rebuild().then((report) => reports.push({ process: name, report }));
  const end = world.scheduler.now + BUDGET_MS;
  while (reports.length < folds.length && world.scheduler.now < end) await world.scheduler.drain(world.scheduler.now + STEP_MS);
  const findings = reports
    .filter(({ report }) => !report.equal)
    .map(({ process, report }) => ({
      check: 'C-TRUTH',
      says: `${process}: ${report.fold} is not what the history says: ${report.problem ?? report.differences.join('; ')}`,
    }));
  if (reports.length < folds.length) findings.push({ check: 'C-TRUTH', says: `${folds.length - reports.length} folds were not compared` });
  return findings;
}
