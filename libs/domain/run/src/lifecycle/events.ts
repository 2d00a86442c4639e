import type { DomainEvent, Id, Json, JsonObject } from '@cairn/kernel';
import type { ArtifactRef, Occurrence, PinnedDocument } from '../shared-fields.js';

/** The inbound event that a run owes its existence to. */
export interface RunCause {
  readonly receiptId: Id;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** Emits that led here, one after another; absent means none. Bounds loops of runs that start each other. */
  readonly hops?: number;
}

export interface RunLimits {
  readonly ageMs: number;
  readonly occurrences: number;
  readonly branches: number;
}

/** A run exists. Pins its definition and policies, so that everything needed to fold it is in the event store. */
export type RunStarted = DomainEvent<
  'RunStarted',
  1,
  {
    readonly ns: string;
    readonly workflow: string;
    readonly key?: string;
    readonly goal: string | null;
    readonly input: Json;
    readonly attributes: JsonObject;
    readonly definition: PinnedDocument;
    readonly policies: readonly PinnedDocument[];
    readonly cause: RunCause;
    readonly limits: RunLimits;
    readonly resultTo?: string;
  }
>;

/** The work is done. `output` is what the definition's `output.value` gives, null without one. */
export type RunCompleted = DomainEvent<
  'RunCompleted',
  1,
  { readonly outcome: 'succeeded' | 'reduced'; readonly output?: Json; readonly outputRef?: ArtifactRef }
>;
/** A rule or a person gave up, with the numbers that the rule saw. */
export type RunGaveUp = DomainEvent<
  'RunGaveUp',
  1,
  { readonly step?: Occurrence; readonly attemptId?: Id; readonly rule: string; readonly numbers: JsonObject }
>;
/** The definition says that this is the end, or it cannot be carried out as written. */
export type RunFailed = DomainEvent<'RunFailed', 1, { readonly step?: Occurrence; readonly bucket: string; readonly message: string }>;

/** Ended from outside. What was open is closed in the same append; effects under way are unknown (W-7). */
export type RunCancelled = DomainEvent<'RunCancelled', 1, { readonly reason?: string }>;

/** Nothing starts any more until `RunUnpaused`; what comes is still taken. `system`: a message of this run was a bug (F-35). */
export type RunPaused = DomainEvent<'RunPaused', 1, { readonly reason?: string; readonly by: 'operator' | 'system' }>;
export type RunUnpaused = DomainEvent<'RunUnpaused', 1, { readonly reason?: string; readonly by: 'operator' | 'system' }>;

/** The run tells the world. Settles its step with output {eventId}; the relay publishes it from here. */
export type EventEmitted = DomainEvent<
  'EventEmitted',
  1,
  {
    readonly eventId: Id;
    readonly step: Occurrence;
    readonly type: string;
    readonly key?: string;
    readonly data: Json;
    readonly hops: number;
  }
>;

export type LifecycleEvent = RunStarted | RunPaused | RunUnpaused | RunCancelled | RunCompleted | RunGaveUp | RunFailed | EventEmitted;
