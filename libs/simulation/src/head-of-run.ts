import { headOf, Lineage, type RecordedRunEvent, type RunState } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';

/** A run as its head leaves it; `undefined` where its history does not fold, or its head was never opened: the oracle says so. */
export function headOfRun(runId: Id, stored: ReadonlyMap<string, readonly StoredEvent[]>): RunState | undefined {
  const branches = stored as unknown as ReadonlyMap<string, readonly RecordedRunEvent[]>;
  try {
    return new Lineage(runId, branches).at(headOf(branches));
  } catch {
    return undefined;
  }
}
