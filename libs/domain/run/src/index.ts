export type { ArtifactRef, AttemptId, Failure, Occurrence, PinnedDocument, SideEffect, Usage, WaitId } from './shared-fields.js';
export { INLINE_BYTES_MAX } from './shared-fields.js';
export { runEnds, type RecordedRunEvent, type RunEvent, type RunEventType } from './events.js';
export type {
  EventEmitted,
  LifecycleEvent,
  RunCause,
  RunCompleted,
  RunFailed,
  RunGaveUp,
  RunLimits,
  RunStarted,
} from './lifecycle/events.js';
export type { LateResultRecorded, StepEvent, StepFailed, StepSkipped, StepStarted, StepSucceeded } from './steps/events.js';
export type {
  ContinuationContract,
  OnDeadline,
  StoredTrigger,
  WaitEvent,
  WaitExpired,
  WaitOpened,
  WaitSatisfied,
  WaitStale,
  WaitTriggered,
  WaitWithdrawn,
} from './waits/events.js';
export type {
  CheckpointClaim,
  CheckpointKind,
  CheckpointReached,
  Justification,
  RecoveryEvent,
  RetryDecided,
  RetryVerdict,
} from './recovery/events.js';
export type {
  ApplyRetryDecision,
  CommandContext,
  ExpireWait,
  MarkStale,
  RecordLapse,
  RecordReply,
  RunCommand,
  StartRun,
  Wake,
  WakeRun,
  WakingEvent,
} from './commands.js';
export {
  initialState,
  parseOccurrence,
  type ClosedAttempt,
  type CollectedTrigger,
  type Counts,
  type Ledger,
  type OpenAttempt,
  type Path,
  type RetryEntry,
  type RunEnd,
  type RunState,
  type RunStatus,
  type Spend,
  type StepEntry,
  type StepOutput,
  type StepStatus,
  type StepWork,
  type WaitEntry,
} from './state.js';
export { evolve, foldRun } from './evolve.js';
export { isEnough, usedKey } from './waits/evolve.js';
export { entryOf, isSettled } from './steps/evolve.js';
export { deserializeState, serializeState, SNAPSHOT_VERSION } from './snapshot.js';
export { artifactHex, outputDigest, stateDigest, stateDigestFromScratch } from './state-digest.js';
export { digestOfValue, outputView, stateView } from './state-view.js';
export { decodeRunEvents, eventSchemas, UnreadableEvent, type EventKey } from './codec.js';
