import type { StoredEvent } from '@cairn/kernel';
import type { RecordedRunEvent, RunEventType } from '@cairn/domain-run';

/** A branch's stream, and as much of it as this build can read as run events. */
export interface Branch {
  readonly name: string;
  readonly stored: readonly StoredEvent[];
  /** The readable prefix: all of `stored` unless a newer build wrote here. */
  readonly events: readonly RecordedRunEvent[];
  /** The first event that a newer build wrote. */
  readonly parkedAt?: StoredEvent;
}

/** The newest version of each event that this build can fold. */
const versions: Readonly<Record<RunEventType, number>> = {
  RunStarted: 1,
  RunPaused: 1,
  RunUnpaused: 1,
  RunCancelled: 1,
  RunCompleted: 1,
  RunGaveUp: 1,
  RunFailed: 1,
  EventEmitted: 1,
  StepStarted: 1,
  AttemptTaken: 1,
  EffectCompensated: 1,
  StepSucceeded: 1,
  StepFailed: 1,
  StepSkipped: 1,
  LateResultRecorded: 1,
  WaitOpened: 1,
  WaitTriggered: 1,
  WaitSatisfied: 1,
  WaitExpired: 1,
  WaitWithdrawn: 1,
  WaitStale: 1,
  ReviewRequested: 1,
  ReviewEscalated: 1,
  VerdictApplied: 1,
  VerdictCarried: 1,
  ReviewWithdrawn: 1,
  RetryDecided: 1,
  CheckpointReached: 1,
  EffectIntended: 1,
  EffectConfirmed: 1,
  EffectAbsent: 1,
  EffectUnknown: 1,
  BranchSuperseded: 1,
  BranchOpened: 1,
  ShadowOpened: 1,
  StepStubbed: 1,
  ShadowEnded: 1,
  BranchAbandoned: 1,
};

export function readBranch(name: string, stored: readonly StoredEvent[]): Branch {
  const unknown = stored.findIndex(({ type, version }) => !isKnown(type, version));
  if (unknown < 0) return { name, stored, events: stored as readonly unknown[] as readonly RecordedRunEvent[] };
  const readable = stored.slice(0, unknown) as readonly unknown[] as readonly RecordedRunEvent[];
  return { name, stored, events: readable, parkedAt: stored[unknown]! };
}

function isKnown(type: string, version: number): boolean {
  return Object.hasOwn(versions, type) && version <= versions[type as RunEventType];
}

/** The data of an event of one type. */
export type DataOf<T extends RunEventType> = Extract<RecordedRunEvent, { type: T }>['data'];
export type EventOf<T extends RunEventType> = Extract<RecordedRunEvent, { type: T }>;

/** The append that an event came with: its readable events, in order. */
export function appendOf(branch: Branch, revision: number): readonly RecordedRunEvent[] {
  const { appendFirst, appendCount } = branch.stored[revision]!.metadata;
  return branch.events.slice(appendFirst, appendFirst + appendCount);
}

/** `poll` of `poll#2`: an inbound event counts once per step, over its occurrences. */
export const stepOf = (occurrence: string): string => occurrence.replace(/#\d+$/, '');

/** What somebody outside did to the run, or to one of its waits: its append is caused by that person's receipt. */
export const isControl = ({ type, data }: { readonly type: string; readonly data: object }): boolean =>
  type === 'RunPaused' || type === 'RunUnpaused' || type === 'RunCancelled' || (type === 'WaitWithdrawn' && 'reason' in data); // Rescheduled by a person: what a review opens again gives none.
