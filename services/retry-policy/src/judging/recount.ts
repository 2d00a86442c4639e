import type { Evidence } from '@cairn/domain-definition';
import { invariant } from '@cairn/kernel';
import { readBranches, type EventStore } from '@cairn/ports';
import { Failures, type Undecided } from '../working-set/failures.js';

/** A failure and what the earlier attempts of its step have shown. */
export interface Counted {
  readonly undecided: Undecided;
  readonly shown: readonly Evidence[];
}

/**
 * A failure of a run that had ended and was recovered, counted from its history: the working set forgets runs that end, limits do not (I-12).
 * Of the failure's branch by revision, of the others by time. Reads whole streams: few runs are recovered after their end.
 */
export async function recounted(store: EventStore, rung: Undecided): Promise<Counted> {
  const { runId, branch, revision, at, attemptId } = rung;
  const failures = new Failures({ forgets: false });
  for (const [name, events] of await readBranches(store, runId))
    for (const event of events) if (name === branch ? event.revision <= revision : event.at <= at) failures.fold(event);
  const undecided = failures.get(attemptId);
  invariant(undecided !== undefined, `run ${runId}: no failure of attempt ${attemptId} at ${branch}@${revision}`);
  // What its effect has done may have been found out since: that came after the failure, and is known.
  const found = rung.foundAbsent === true ? { foundAbsent: true as const, inDoubt: false } : {};
  return { undecided: { ...undecided, ...found }, shown: failures.shown(undecided) };
}
