import type { Id, Instant, Revision } from '@cairn/kernel';
import type { LifecycleEvent } from './lifecycle/events.js';
import type { RecoveryEvent } from './recovery/events.js';
import type { StepEvent } from './steps/events.js';
import type { WaitEvent } from './waits/events.js';

/** Everything that can stand in `run-<runId>+<branch>` so far. */
export type RunEvent = LifecycleEvent | StepEvent | WaitEvent | RecoveryEvent;
export type RunEventType = RunEvent['type'];

/** An event with what the fold needs of its envelope. Every `StoredEvent` of a run stream is one. */
export type RecordedRunEvent = RunEvent & {
  readonly revision: Revision;
  readonly at: Instant;
  readonly eventId: Id;
  readonly causationId: string;
};

/** The four ways to end. Nothing but annotations follows one of these. */
export const runEnds = ['RunCompleted', 'RunGaveUp', 'RunFailed', 'RunCancelled'] as const;
