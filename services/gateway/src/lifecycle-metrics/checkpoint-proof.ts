import { decodeRunEvents, Lineage, stateDigest, UnreadableEvent, type CheckpointReached } from '@cairn/domain-run';
import type { Id, Revision, StoredEvent } from '@cairn/kernel';

/** A wait: its run, where it was opened, and the name of the checkpoint that it restores. */
interface Opened {
  readonly run: Id;
  readonly branch: string;
  readonly opened: Revision;
  readonly restores: string;
}

/**
 * The artifacts (64 hex characters each) that the checkpoint of a wait asserts, if the state folded from the events before it gives the
 * digest that it carries. `undefined` if it does not, if there is no such checkpoint, or if the events cannot be read. `branches`: that of
 * the wait, and those that led to it.
 */
export function proveCheckpoint(
  { run, branch, opened, restores }: Opened,
  branches: ReadonlyMap<string, readonly StoredEvent[]>,
): readonly string[] | undefined {
  // It is reached in the append that opens its wait, so it stands on the same branch.
  const reached = (branches.get(branch) ?? [])
    .slice(0, opened + 1)
    .findLast(({ type, data }) => type === 'CheckpointReached' && data['name'] === restores);
  if (reached === undefined) return undefined;
  const { claim, stateDigest: claimed } = reached.data as unknown as CheckpointReached['data'];
  try {
    const decoded = new Map([...branches].map(([name, events]) => [name, decodeRunEvents(events)]));
    const lineage = new Lineage(run, decoded);
    const state = reached.revision === 0 ? lineage.before(branch) : lineage.at(branch, reached.revision - 1);
    return stateDigest(state) === claimed ? claim.artifacts.map((artifact) => artifact.replace(/^sha256:/, '')) : undefined;
  } catch (error) {
    if (error instanceof UnreadableEvent) return undefined;
    throw error;
  }
}
