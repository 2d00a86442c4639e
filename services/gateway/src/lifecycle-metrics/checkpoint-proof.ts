import { decodeRunEvents, foldRun, initialState, stateDigest, UnreadableEvent, type CheckpointReached } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';

/**
 * The artifacts (64 hex characters each) that a run's last checkpoint of a name asserts, if the state folded from the events before it
 * gives the digest that it carries. `undefined` if it does not, if there is no such checkpoint, or if the events cannot be read.
 */
export function proveCheckpoint(run: Id, events: readonly StoredEvent[], name: string): readonly string[] | undefined {
  const at = events.findLastIndex(({ type, data }) => type === 'CheckpointReached' && data['name'] === name);
  const reached = events[at];
  if (reached === undefined) return undefined;
  const { claim, stateDigest: claimed } = reached.data as unknown as CheckpointReached['data'];
  try {
    const state = foldRun(initialState(run), decodeRunEvents(events.slice(0, at)));
    return stateDigest(state) === claimed ? claim.artifacts.map((artifact) => artifact.replace(/^sha256:/, '')) : undefined;
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}
