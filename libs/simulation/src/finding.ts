/** A check that did not hold, and what it saw. */
export interface Finding {
  /** An invariant of the oracle, `E-1`, `E-2`, `C-TRUTH`, `facts`, `outcome` or `bug`. */
  readonly check: string;
  readonly says: string;
}
