import type { EpochMs, Id, Instant, Json, JsonObject } from '@cairn/kernel';
import type { CallbackUsed } from '@cairn/domain-definition';
import type { BranchDocuments } from './branches/documents.js';
import type { Fork } from './branches/fork.js';
import type { BranchRequest } from './branches/request.js';
import type { RunCause } from './lifecycle/events.js';
import type { ApplyEscalation, ApplyVerdict } from './reviews/commands.js';
import type { Justification, RetryVerdict } from './recovery/events.js';
import type { RunState } from './state.js';
import type { ArtifactRef, AttemptId, Failure, Occurrence, PinnedDocument, SideEffect, Usage, WaitId } from './shared-fields.js';

/** What every command carries so that the decider needs no clock and no randomness. */
export interface CommandContext {
  /** By the clock of the execution instance that decides: due-ness is judged by it alone (I-21). */
  readonly now: EpochMs;
  /** 128 fresh bits; attempt ids come from it and it is never stored (W-5). */
  readonly entropy: string;
  /** What the append will say caused it (`history.md` §1). */
  readonly causationId: string;
}

/** Starts the run. `input` has been checked against nothing yet: the decider does. */
export interface StartRun {
  readonly type: 'StartRun';
  readonly data: {
    readonly ns: string;
    readonly workflow: string;
    readonly runId: Id;
    readonly key?: string;
    readonly input: Json;
    readonly attributes?: JsonObject;
    readonly definition: PinnedDocument;
    readonly policies: readonly PinnedDocument[];
    readonly cause: RunCause;
    readonly resultTo?: string;
  };
}

/** What came from outside for a wait, or the fact that a due time has come. */
export type Wake =
  | { readonly kind: 'event'; readonly waitId: WaitId; readonly trigger: number; readonly event: WakingEvent }
  | { readonly kind: 'timer'; readonly waitId: WaitId; readonly trigger: number }
  | { readonly kind: 'retry'; readonly attemptId: AttemptId }
  /** A branch has been opened: what it owes begins. */
  | { readonly kind: 'branch'; readonly branch: string };

export interface WakingEvent {
  readonly receiptId: Id;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly at: Instant;
  readonly kept: boolean;
  readonly key?: string;
  readonly time?: string;
  /** It came by a callback's link. */
  readonly callback?: CallbackUsed;
  readonly data?: Json;
  readonly dataRef?: ArtifactRef;
  /** CloudEvents extension attributes: conditions may read them. */
  readonly extensions?: { readonly [name: string]: Json };
  /** The whole data for the conditions' eyes where only a reference is stored. */
  readonly loaded?: Json;
}

/** Something that the run waits for has come: an event, a timer's time, a retry's time, the branch that a recovery goes on with. */
export interface WakeRun {
  readonly type: 'WakeRun';
  readonly data: Wake;
}

/** A wait's deadline has passed, says scheduling; execution's clock decides. */
export interface ExpireWait {
  readonly type: 'ExpireWait';
  readonly data: { readonly waitId: WaitId };
}

export interface MarkStale {
  readonly type: 'MarkStale';
  readonly data: { readonly waitId: WaitId };
}

/** So many milliseconds from when it is decided, or that instant. */
export type WhenDue = { readonly afterMs: number } | { readonly at: Instant };

/** A person moves the deadline of an open wait, or when it is stale; absent: as it is, null: none. */
export interface RescheduleWait {
  readonly type: 'RescheduleWait';
  readonly data: {
    readonly waitId: WaitId;
    readonly deadline?: WhenDue | null;
    readonly stale?: WhenDue | null;
    readonly reason: string;
  };
}

/** A failure as a handler tells it. Silence about side effects means none, of an effect unknown (`capabilities.md` §4). */
export type ReportedFailure = Omit<Failure, 'sideEffect'> & { readonly sideEffect?: SideEffect };

/** A handler's one terminal reply to an attempt. */
export interface RecordReply {
  readonly type: 'RecordReply';
  readonly data: {
    readonly attemptId: AttemptId;
    readonly replyId: string;
    readonly step?: Occurrence;
    readonly result:
      | {
          readonly kind: 'succeeded';
          readonly output: Json;
          /** Set where the output is too large to stand in the event: its bytes are durable already. */
          readonly outputRef?: ArtifactRef;
          readonly evidence?: string;
          readonly uncertainty?: number;
        }
      | { readonly kind: 'failed'; readonly failure: ReportedFailure };
    readonly usage?: Usage;
    /** Another handler may have the attempt, too: what this one says of side effects is not all that happened. */
    readonly shared?: boolean;
  };
}

/** The lease of an attempt ran out, or its session died. */
export interface RecordLapse {
  readonly type: 'RecordLapse';
  readonly data: { readonly attemptId: AttemptId; readonly by: 'lease' | 'timeout'; readonly message: string };
}

/** Claims an attempt whose effect may not be repeated. The same nonce is granted again, another never (`architecture.md` §4.2). */
export interface TakeAttempt {
  readonly type: 'TakeAttempt';
  readonly data: { readonly attemptId: AttemptId; readonly handler: string; readonly nonce: string };
}

/** Starts nothing more. Pausing a paused run changes nothing. */
export interface PauseRun {
  readonly type: 'PauseRun';
  readonly data: { readonly reason?: string; readonly by: 'operator' | 'system' };
}

/** Goes on with what became possible meanwhile. */
export interface UnpauseRun {
  readonly type: 'UnpauseRun';
  readonly data: { readonly reason?: string; readonly by: 'operator' | 'system' };
}

/** Ends the run now, waiting for no handler (W-7). */
export interface CancelRun {
  readonly type: 'CancelRun';
  readonly data: { readonly reason?: string };
}

/** A judgement of retry-policy about one failed attempt. */
export interface ApplyRetryDecision {
  readonly type: 'ApplyRetryDecision';
  readonly data: {
    readonly step: Occurrence;
    readonly attemptId: AttemptId;
    readonly bucket: string;
    readonly decision: RetryVerdict;
    readonly justification: Justification;
    readonly policy: PinnedDocument;
    readonly notBefore?: Instant;
    /** Of `escalate`: who is asked. */
    readonly queue?: string;
    /** What the branch changes: `{fallback: i}` of the step's declared alternatives, `{patch}` on its work, `{reduce: id}` of the declared paths. */
    readonly change?: JsonObject;
  };
}

/** A person opens a branch. Whoever brings it has read the fork: the decider sees the head alone. */
export interface OpenBranch {
  readonly type: 'OpenBranch';
  readonly data: BranchRequest & {
    /** Filled in where the command is decided. */
    readonly fork?: Fork & { readonly state?: RunState };
    /** Nothing where the run has the input already that the changes would give it: an event that only repeats itself corrects nothing. */
    readonly onlyOtherInput?: boolean;
    /** The head as `expectHead` names it, where the head has gone on since. */
    readonly expected?: RunState;
    /** Other documents that it asks for. */
    readonly documents?: BranchDocuments;
  };
}

/**
 * What became of an effect that is unknown. Without `found` its reconcile queue is asked; with it a person says so, and why he knows.
 * `result`: what the target gave, which becomes the output of the step.
 */
export interface ReconcileEffect {
  readonly type: 'ReconcileEffect';
  readonly data: { readonly key: string; readonly found?: boolean; readonly result?: Json; readonly reason?: string };
}

/** Undoes a confirmed effect by its compensate queue. */
export interface CompensateEffect {
  readonly type: 'CompensateEffect';
  readonly data: { readonly key: string; readonly reason: string };
}

/** Somebody gives up a shadow. */
export interface AbandonBranch {
  readonly type: 'AbandonBranch';
  readonly data: { readonly branch: string; readonly reason: string };
}

export type RunCommand =
  | StartRun
  | WakeRun
  | ExpireWait
  | MarkStale
  | RescheduleWait
  | RecordReply
  | RecordLapse
  | TakeAttempt
  | ApplyRetryDecision
  | OpenBranch
  | ReconcileEffect
  | CompensateEffect
  | AbandonBranch
  | ApplyVerdict
  | ApplyEscalation
  | PauseRun
  | UnpauseRun
  | CancelRun;
