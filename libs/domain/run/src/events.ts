import type { Instant, Revision } from '@cairn/kernel';
import type { BranchEvent } from './branches/events.js';
import type { EffectEvent } from './effects/events.js';
import type { LifecycleEvent } from './lifecycle/events.js';
import type { RecoveryEvent } from './recovery/events.js';
import type { ReviewEvent } from './reviews/events.js';
import type { StepEvent } from './steps/events.js';
import type { WaitEvent } from './waits/events.js';

/** Everything that can stand in `run-<runId>+<branch>` so far. */
export type RunEvent = LifecycleEvent | StepEvent | EffectEvent | WaitEvent | ReviewEvent | RecoveryEvent | BranchEvent;
export type RunEventType = RunEvent['type'];

/**
 * What the fold needs of an event's envelope. The event's id is not among it: ids name the whole append, and a decision folds its own
 * events before they have any.
 */
export interface Envelope {
  readonly revision: Revision;
  readonly at: Instant;
  readonly causationId: string;
}

/** An event with its envelope. Every `StoredEvent` of a run stream is one. */
export type RecordedRunEvent = RunEvent & Envelope;

/** The four ways to end. Nothing but annotations follows one of these. */
export const runEnds = ['RunCompleted', 'RunGaveUp', 'RunFailed', 'RunCancelled'] as const;
