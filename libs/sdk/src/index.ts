export { z } from 'zod';
export { CONCURRENCY_DEFAULT, handler, type Handler, type HandlerFunction, type HandlerOptions, type Outcome } from './handler.js';
export { serve, type ServeOptions, type Worker } from './serve.js';
export { StepFailure, type FailureOptions } from './failure.js';
export { StepResult, type ResultOptions, type Reconciled, type Task, type TaskEffect, type TaskKind } from './task.js';
export { ArtifactError, type ArtifactRef, type TaskArtifacts } from './artifacts.js';
export type { Usage } from './usage.js';
export type { Schema } from './schema-check.js';
export type { Connection, ConnectionOptions } from './connection.js';
export { DefinitionRefused, workflow, type WorkflowBuilder } from './workflow.js';
export { ref, type Ref } from './workflow-ref.js';
export type {
  DecideFields,
  Duration,
  EffectFields,
  EmitFields,
  ReviewFields,
  SchemaOf,
  StartFields,
  StepFields,
  TaskFields,
  TriggerFields,
  Value,
  WaitFields,
  WorkFields,
  WorkflowOptions,
} from './workflow-fields.js';
