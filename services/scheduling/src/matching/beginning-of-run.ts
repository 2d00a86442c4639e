import type { RunStarted } from '@cairn/domain-run';
import { receiptStream, runStream, type Id } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { RunBeginning } from '../working-set/scheduling-set.js';

/** How a run began, as its own history and its receipt tell it. Throws `StoreFault`. */
export async function beginningOfRun(store: Pick<EventStore, 'read'>, runId: Id): Promise<RunBeginning | undefined> {
  const [first] = await store.read(runStream(runId, 'main'), 0, 0);
  if (first?.type !== 'RunStarted') return undefined;
  const { workflow, cause } = first.data as unknown as RunStarted['data'];
  const [received] = await store.read(receiptStream(cause.receiptId), 0, 0);
  return { workflow, startedAt: received?.at ?? first.at, causedBy: cause.receiptId };
}
