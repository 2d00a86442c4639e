import { runStream, type Id, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from './event-store.js';

/** Every run has it. */
export const FIRST_BRANCH = 'main';

/**
 * The streams of a run's branches by name, whole, in the order in which they were announced. Branches name each other, so nothing has to be
 * searched: the event store is never asked what it holds. One that was announced and not opened yet has no events. Empty: no such run.
 */
export async function readBranches(store: Pick<EventStore, 'read'>, runId: Id): Promise<Map<string, readonly StoredEvent[]>> {
  const branches = new Map<string, readonly StoredEvent[]>();
  const announced = [FIRST_BRANCH];
  for (let name = announced.shift(); name !== undefined; name = announced.shift()) {
    if (branches.has(name)) continue;
    const events = await store.read(runStream(runId, name));
    if (name === FIRST_BRANCH && events.length === 0) return branches;
    branches.set(name, events);
    announced.push(...announcedBy(events));
  }
  return branches;
}

/** Names of the branches that these events announce. */
export function announcedBy(events: readonly StoredEvent[]): string[] {
  return events.flatMap(({ type, data }) => {
    if (type === 'BranchSuperseded') return [String(data['successor'])];
    return type === 'ShadowOpened' ? [String(data['branch'])] : [];
  });
}
