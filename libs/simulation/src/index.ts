export { huntMutant, playBatch, replayLine, type Batch, type BatchOptions, type MutantHunt } from './batch.js';
export { simulate, type Report, type SimulateOptions } from './simulate.js';
export { Coverage, coverageNames, type Covered } from './coverage.js';
export { mutants, MUTANT_SEEDS, type MutantId } from './mutants.js';
export { workloadKinds } from './world/workloads.js';
export type { Finding } from './finding.js';
export type { TraceLine } from './trace.js';
