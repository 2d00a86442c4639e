import type { ReceiptLine } from '@cairn/domain-schedule';
import { refused } from '@cairn/domain-schedule/decider';
import { bundleStream, type Id } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';

/** What an event comes to that is for a run which this store does not have. One that was imported is shown, and says so: it never acts. Throws faults. */
export async function absentRun(store: EventStore, ns: string, runId: Id): Promise<ReceiptLine> {
  const [imported] = await store.read(bundleStream(runId), 0, 0);
  if (imported?.metadata.ns !== ns) return refused({ code: 'run_not_found', detail: `there is no run ${runId}` });
  return refused({ code: 'run_imported', detail: `run ${runId} was imported from another store: it is shown here, and acts on nothing` });
}
