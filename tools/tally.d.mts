export interface Tally {
  passed: number;
  failed: number;
  failedNames: string[];
  problems: string[];
}
export function tallyOf(text: string | undefined, code: number | null): Tally;
