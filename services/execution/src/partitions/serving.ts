import type { Id } from '@cairn/kernel';

/** Whether this process is the one that dispatches, judges leases, grants claims and accepts replies, of a run or of a partition. */
export interface Serving {
  serves(runId: Id): boolean;
  servesPartition(partition: number): boolean;
  /** What others say reaches it now: only then does their silence mean anything (F-18). */
  readonly hears: boolean;
  /** Which replica serves the partition, as far as it is known. */
  serverOf(partition: number): Id | undefined;
}

/** Where one process does all. */
export const servesAll: Serving = {
  serves: () => true,
  servesPartition: () => true,
  hears: true,
  serverOf: () => undefined,
};
