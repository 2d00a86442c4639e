import { invariant, sealAppend, runStream, type StoredEvent } from '@cairn/kernel';
import type { RunEvent } from '../events.js';
import { evolve } from '../evolve.js';
import { stateDigest } from '../state-digest.js';
import type { RunState } from '../state.js';
import type { BranchSpec } from './events.js';

/** The head at its end, the parent at the fork, and the event that announced the branch. */
export interface Announced {
  readonly predecessor: RunState;
  /** The branch before its first event (`beginningOf`). */
  readonly beginning: RunState;
  /** The `BranchSuperseded` or `ShadowOpened`, as it is stored. */
  readonly event: StoredEvent;
  /** Of the parent at the fork. */
  readonly parentHash: string;
}

/** What an event announces: the name, what it is opened with, and whether it acts. Throws on any other event. */
export function announcementOf({ type, data }: Pick<StoredEvent, 'type' | 'data'>): {
  readonly branch: string;
  readonly spec: BranchSpec;
  readonly shadow: boolean;
} {
  invariant(type === 'BranchSuperseded' || type === 'ShadowOpened', `${type} announces no branch`);
  const shadow = type === 'ShadowOpened';
  return { branch: String(shadow ? data['branch'] : data['successor']), spec: data['spec'] as unknown as BranchSpec, shadow };
}

/**
 * The first append of a branch: `BranchOpened` and its `recovery` checkpoint. They follow from what announced the branch alone, so whoever
 * finds the stream empty appends the same events under the same ids, at any time (F-54, C-RECCKPT).
 */
export function derivedOpening({ predecessor, beginning, event, parentHash }: Announced): StoredEvent[] {
  const { branch: successor, spec, shadow } = announcementOf(event);
  invariant(predecessor.started !== null && beginning.branch === successor, `branch ${successor} is opened from its announcement`);
  const { actor, at, eventId } = event;
  const opened: RunEvent = {
    type: 'BranchOpened',
    version: 1,
    data: { ...spec, predecessor: { branch: predecessor.branch, revision: event.revision }, actor, shadow },
  };
  const state = evolve(beginning, opened, { revision: 0, at, causationId: eventId });
  const spend = state.ledger.spend.get('');
  const checkpoint: RunEvent = {
    type: 'CheckpointReached',
    version: 1,
    data: {
      name: `${successor}.recovery`,
      kind: 'recovery',
      claim: {
        says: `${successor} goes on from ${spec.parent.branch}@${spec.parent.revision}: ${spec.cause}`,
        artifacts: [],
        usage: { usd: spend?.usd ?? 0, tokensIn: spend?.tokensIn ?? 0, tokensOut: spend?.tokensOut ?? 0 },
      },
      digestVersion: 1,
      stateDigest: stateDigest(state),
    },
  };
  return sealAppend(
    {
      stream: runStream(predecessor.runId, successor),
      expected: 'no_stream',
      prevHash: parentHash,
      ns: predecessor.started.ns,
      runId: predecessor.runId,
      branch: successor,
      at,
      actor,
      causationId: eventId,
    },
    [opened, checkpoint],
  );
}
