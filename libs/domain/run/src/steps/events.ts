import type { DomainEvent, Id, Json } from '@cairn/kernel';
import type { ArtifactRef, AttemptId, Failure, Occurrence, Usage } from '../shared-fields.js';

/** An attempt exists and may be given to a handler. Attempts of a step count from 1 over the whole ancestry of its branch. */
export type StepStarted = DomainEvent<
  'StepStarted',
  1,
  {
    readonly step: Occurrence;
    readonly attempt: number;
    readonly attemptId: AttemptId;
    readonly queue: string;
    readonly input: Json;
    readonly params: Json;
    readonly purpose?: string;
    /** What a person wants to be different from earlier attempts. */
    readonly guidance?: string;
    readonly childRun?: Id;
    /** Of an attempt that reconciles or compensates (`pay/reconcile`): the effect that it is about. */
    readonly effect?: { readonly key: string; readonly suffix: number };
  }
>;

/** The attempt's result counts, once. */
export type StepSucceeded = DomainEvent<
  'StepSucceeded',
  1,
  {
    readonly step: Occurrence;
    readonly attemptId: AttemptId;
    readonly output?: Json;
    readonly outputRef?: ArtifactRef;
    readonly evidence?: string;
    readonly uncertainty?: number;
    readonly usage?: Usage;
  }
>;

/** The attempt is over without a result. What follows is decided by `RetryDecided` alone. */
export type StepFailed = DomainEvent<
  'StepFailed',
  1,
  {
    readonly step: Occurrence;
    readonly attemptId: AttemptId;
    readonly failure: Failure;
    /** A failed try costs, too (ADR 0011). */
    readonly usage?: Usage;
  }
>;

/** The attempt's claim is granted, once for ever (`architecture.md` §4.2): only who holds `nonce` may do what it asks for. */
export type AttemptTaken = DomainEvent<
  'AttemptTaken',
  1,
  { readonly step: Occurrence; readonly attemptId: AttemptId; readonly handler: string; readonly nonce: string }
>;

/** The step will not run; it counts as settled and its output reads null. */
export type StepSkipped = DomainEvent<'StepSkipped', 1, { readonly step: Occurrence; readonly because: 'when' | 'optional' | 'scope' }>;

/** A reply that came when its attempt was over: kept as evidence and cost, changes no state of the path. */
export type LateResultRecorded = DomainEvent<
  'LateResultRecorded',
  1,
  {
    readonly step: Occurrence;
    readonly attemptId: AttemptId;
    readonly replyId: string;
    readonly reply: { readonly kind: string; readonly output?: Json; readonly outputRef?: ArtifactRef; readonly failure?: Failure };
    readonly usage?: Usage;
    readonly because: 'attempt_closed' | 'run_ended' | 'not_head';
  }
>;

export type StepEvent = StepStarted | AttemptTaken | StepSucceeded | StepFailed | StepSkipped | LateResultRecorded;
