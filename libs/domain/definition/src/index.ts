export { compileDefinition, hashDefinition, planOf, type Compiled } from './compile.js';
export { compileDefinitionText, readDocument, type DocumentFormat } from './compile-text.js';
export { verdicts } from './document.js';
export type {
  Definition,
  Duplicates,
  EffectDocument,
  EventTriggerDocument,
  FallbackDocument,
  JsonSchema,
  OnDeadline,
  ReducedDocument,
  RepeatDocument,
  ReviewDocument,
  Risk,
  StartDocument,
  StepDocument,
  TriggerDocument,
  Verdict,
  VerdictOutcome,
  WaitDocument,
  WaiverDocument,
} from './document.js';
export type { Evaluated, Expression, Root, Scope, StepScope, Template } from './expressions.js';
export type {
  Guarantee,
  CallbackUse,
  Plan,
  PlanLimits,
  PlannedEffect,
  PlannedFallback,
  PlannedReduced,
  PlannedRepeat,
  PlannedReview,
  PlannedStep,
  PlannedTrigger,
  PlannedWait,
  PolicyName,
  StartTrigger,
  StepKind,
} from './plan.js';
export { callbackReference, withCallbackTokens } from './callbacks.js';
export { CEL_VERSION, compileExpression, type CompiledExpression } from './cel.js';
export { workflowSchema } from './workflow-schema.js';
export { buckets, expectations, isBucket, type Bucket, type Evidence, type ExpectedChange, type Justification } from './buckets.js';
export {
  callbackType,
  eventScope,
  matchTrigger,
  signalType,
  type CallbackUsed,
  type InboundEvent,
  type Match,
  type MatchClause,
  type StoredTrigger,
} from './match.js';
export { DURATION_PATTERN, durationMs } from './duration.js';
export { checkJson } from './json-hygiene.js';
export { NOT_YET, validatorOf, type Validator } from './json-schema.js';
export { CEL_SOURCE_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DURATION_MAX_MS } from './limits.js';
export { at, POINTER_PATTERN, pointerParts, readPointer } from './pointer.js';
export { applyPatch, PATCH_OPS_MAX, type JsonPatchOp, type Patched } from './json-patch.js';
export { applyEdits, type Edited } from './edits.js';
export { Problems } from './problems.js';
export { checkShape } from './shape.js';
export { isTextLargerThan } from './size.js';
export { EFFECT_KEY_SAYS, isEffectKey } from './build-effect.js';
export { proposersOf, sidesNamedBy } from './proposers.js';
