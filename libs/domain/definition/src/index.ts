export { compileDefinition, hashDefinition, planOf, type Compiled } from './compile.js';
export { compileDefinitionText } from './compile-text.js';
export type {
  Definition,
  Duplicates,
  EventTriggerDocument,
  JsonSchema,
  OnDeadline,
  RepeatDocument,
  StartDocument,
  StepDocument,
  TriggerDocument,
  WaitDocument,
  WaiverDocument,
} from './document.js';
export type { Evaluated, Expression, Root, Scope, StepScope, Template } from './expressions.js';
export type {
  Plan,
  PlanLimits,
  PlannedRepeat,
  PlannedStep,
  PlannedTrigger,
  PlannedWait,
  PolicyName,
  StartTrigger,
  StepKind,
} from './plan.js';
export { CEL_VERSION, compileExpression, type CompiledExpression } from './cel.js';
export { workflowSchema } from './workflow-schema.js';
export { buckets, expectations, isBucket, type Bucket, type Evidence, type ExpectedChange, type Justification } from './buckets.js';
export { eventScope, matchTrigger, signalType, type InboundEvent, type Match, type MatchClause, type StoredTrigger } from './match.js';
