export type { ArtifactRef, AttemptId, Failure, Occurrence, PinnedDocument, SideEffect, Usage, WaitId } from './shared-fields.js';
export { INLINE_BYTES_MAX } from './shared-fields.js';
export { runEnds, type RecordedRunEvent, type RunEvent, type RunEventType } from './events.js';
export type {
  EventEmitted,
  LifecycleEvent,
  RunCancelled,
  RunCause,
  RunCompleted,
  RunFailed,
  RunGaveUp,
  RunLimits,
  RunPaused,
  RunStarted,
  RunUnpaused,
} from './lifecycle/events.js';
export type { AttemptTaken, LateResultRecorded, StepEvent, StepFailed, StepSkipped, StepStarted, StepSucceeded } from './steps/events.js';
export type {
  EffectAbsent,
  EffectCompensated,
  EffectConfirmed,
  EffectEvent,
  EffectGuarantee,
  EffectIntended,
  EffectUnknown,
} from './effects/events.js';
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
  ReviewEscalated,
  ReviewEvent,
  ReviewId,
  ReviewOption,
  ReviewRequested,
  ReviewSubject,
  ReviewWhy,
  ReviewWithdrawn,
  VerdictApplied,
} from './reviews/events.js';
export type { ApplyEscalation, ApplyVerdict, RecordedDecision } from './reviews/commands.js';
export { isOpenReview, isPassedUp } from './reviews/evolve.js';
export { forkWanted } from './reviews/outcomes.js';
export { digestOfSubjects, subjectDigestOf } from './reviews/digest.js';
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
  AbandonBranch,
  ApplyRetryDecision,
  CancelRun,
  CommandContext,
  CompensateEffect,
  ExpireWait,
  MarkStale,
  OpenBranch,
  PauseRun,
  ReconcileEffect,
  RecordLapse,
  RecordReply,
  ReportedFailure,
  RescheduleWait,
  RunCommand,
  StartRun,
  TakeAttempt,
  UnpauseRun,
  Wake,
  WakeRun,
  WakingEvent,
  WhenDue,
} from './commands.js';
export {
  initialState,
  parseOccurrence,
  partOf,
  type BranchEntry,
  type ClosedAttempt,
  type CollectedTrigger,
  type Counts,
  type EffectEntry,
  type EffectPart,
  type EffectStatus,
  type Ledger,
  type OpenAttempt,
  type Path,
  type RetryEntry,
  type ReviewEntry,
  type ReviewStatus,
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
export type {
  BranchCause,
  BranchEvent,
  BranchOpened,
  BranchPoint,
  BranchSpec,
  BranchAbandoned,
  BranchSuperseded,
  Carried,
  EffectChoice,
  ShadowEnded,
  ShadowOpened,
  StepStubbed,
} from './branches/events.js';
export { beginningOf } from './branches/begin.js';
export { forkAt, type Fork, type ForkRequest } from './branches/fork.js';
export { asChanged, withRules } from './branches/rules.js';
export {
  definitionFound,
  definitionWanted,
  isPinOf,
  NO_DOCUMENTS,
  policiesWanted,
  policyFound,
  policyText,
  versionsOf,
  type BranchDocuments,
} from './branches/documents.js';
export { planBranch } from './branches/plan.js';
export type { BranchPlan, BranchRequest, PlanFacts, PlanProblem, ReceivedChoice } from './branches/request.js';
export { headOf, Lineage, type Branches } from './branches/lineage.js';
export { announcementOf, derivedOpening, type Announced } from './branches/opening.js';
export { evolve, foldRun } from './evolve.js';
export { isEnough, usedKey } from './waits/evolve.js';
export { duesOf, type Dues, type DueTexts } from './waits/due.js';
export { firedOutput, previewWake, type NextStep, type WakePreview } from './waits/preview.js';
export { entryOf, isSettled } from './steps/evolve.js';
export { deserializeState, serializeState, SNAPSHOT_VERSION } from './snapshot.js';
export { artifactHex, outputDigest, stateDigest, stateDigestFromScratch } from './state-digest.js';
export { digestOfValue, outputView, stateView } from './state-view.js';
export { decodeRunEvents, eventSchemas, UnreadableEvent, type EventKey } from './codec.js';
