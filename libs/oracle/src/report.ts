import type { Invariant, Violation } from './history.js';

/** Notes that an invariant does not hold at a revision of the branch at hand. */
export type Report = (invariant: Invariant, revision: number, says: string) => void;

export function reporterFor(branch: string, violations: Violation[]): Report {
  return (invariant, revision, says) => void violations.push({ invariant, branch, revision, says });
}
