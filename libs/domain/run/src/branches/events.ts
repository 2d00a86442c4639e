import type { JsonPatchOp } from '@cairn/domain-definition';
import type { DomainEvent, Id, Json, Revision } from '@cairn/kernel';
import type { ArtifactRef, AttemptId, Occurrence, PinnedDocument, WaitId } from '../shared-fields.js';

/** Why a branch was opened (`capabilities.md` §6). */
export type BranchCause = 'retry_modified' | 'fallback' | 'reduced_scope' | 'override' | 'correction' | 'what_if';

/** A point of a branch: what stands there up to `revision`, inclusive. */
export interface BranchPoint {
  readonly branch: string;
  readonly revision: Revision;
}

/** What is open at the fork and goes on under its ids. Everything else that was open there is withdrawn (U-4). */
export interface Carried {
  readonly attempts: readonly AttemptId[];
  readonly waits: readonly WaitId[];
  /** Failed attempts that are owed a judgement or another try, and still are. The steps of others start anew. */
  readonly failures: readonly AttemptId[];
  /** Absent: none. */
  readonly reviews?: readonly Id[];
  /** Reviews whose approval counts when the branch comes to them, for exactly what was approved. Absent: none. */
  readonly verdicts?: readonly Id[];
  /** Receipts of events that came after the fork and are used when their wait opens again. */
  readonly events: readonly Id[];
}

/** What became of an effect that was intended after the fork (U-5). */
export type EffectChoice = 'reuse' | 'compensate' | 'repeat' | 'ask';

/** Everything that a branch is opened with. Both events hold it, so that the second follows from the first alone. */
export interface BranchSpec {
  /** Where it grows: the path up to here is its own. */
  readonly parent: BranchPoint;
  /** The newest checkpoint at or before the fork; null before the first. */
  readonly checkpoint: string | null;
  readonly cause: BranchCause;
  readonly reason: string;
  /** Events that led here, as `main@12`. */
  readonly evidence: readonly string[];
  /**
   * JSON Patch over `/input`, `/steps/<id>/(queue|input|params|guidance|timeout|retry|deadline)`, `/outputs/<occurrence>`, `/skip/<id>`, `/scope`,
   * `/definition`: exactly what is different from here on.
   */
  readonly changes: readonly JsonPatchOp[];
  readonly carried: Carried;
  /** By effect key. */
  readonly effectsChoices: { readonly [key: string]: EffectChoice };
  /** Why an effect that has happened shall happen once more, by key. Absent: none is repeated, or people are asked. */
  readonly effectsReasons?: { readonly [key: string]: string };
  /** `told`: tasks of the branch get a summary of the path that failed. */
  readonly lesson: 'told' | 'untold';
  /** What the branch runs by from here on, where that is another version than before. */
  readonly definition?: PinnedDocument;
  /** Policies that the run had not pinned before. */
  readonly policies?: readonly PinnedDocument[];
}

/** The branch is over: another one is the head, under a name that this append allocates. Nothing follows it here (I-8). */
export type BranchSuperseded = DomainEvent<'BranchSuperseded', 1, { readonly successor: string; readonly spec: BranchSpec }>;

/**
 * The first event of every branch but `main`. Follows from the `BranchSuperseded` that announced it: time and actor are taken from there,
 * so it can be derived again after a crash, with the same ids (F-54). Its chain begins with the hash of its parent at the fork.
 */
export type BranchOpened = DomainEvent<
  'BranchOpened',
  1,
  BranchSpec & {
    /** The head that it follows, at its `BranchSuperseded`, inclusive: what was ever spent, used or done outside is known from there. */
    readonly predecessor: BranchPoint;
    readonly actor: string;
    readonly shadow: boolean;
  }
>;

/**
 * A branch that acts on nothing grows beside the head, under a name that this append allocates (U-6). The head goes on, whatever comes of it,
 * and nothing is withdrawn for it.
 */
export type ShadowOpened = DomainEvent<'ShadowOpened', 1, { readonly branch: string; readonly spec: BranchSpec }>;

/** Where a shadow's step has its output from: an effect that is confirmed, its stub, or what the head got or told at that step. */
export type StubFrom = 'confirmed' | 'stub' | 'head' | 'unsent';

/** Stands on shadows alone: a step that would act outside, or ask somebody there, is settled with what is known, and nothing is done. */
export type StepStubbed = DomainEvent<
  'StepStubbed',
  1,
  {
    readonly step: Occurrence;
    readonly from: StubFrom;
    readonly output?: Json;
    readonly outputRef?: ArtifactRef;
    /** Of a step that the head skipped, and of nothing else. */
    readonly skipped?: true;
    readonly says: string;
  }
>;

/** Why a shadow goes no further. */
export interface ShadowStop {
  readonly step?: Occurrence;
  readonly says: string;
}

/** The last event of a shadow that was let run: it came to the end, or nothing of it can go on. The run itself is as it was. */
export type ShadowEnded = DomainEvent<
  'ShadowEnded',
  1,
  {
    readonly outcome: 'succeeded' | 'reduced' | 'stopped';
    readonly output?: Json;
    readonly outputRef?: ArtifactRef;
    /** Of `stopped`: each step that cannot go on. */
    readonly stops: readonly ShadowStop[];
  }
>;

/** The last event of a shadow that somebody gave up. What its handlers still say is not kept. */
export type BranchAbandoned = DomainEvent<'BranchAbandoned', 1, { readonly reason: string }>;

export type BranchEvent = BranchSuperseded | BranchOpened | ShadowOpened | StepStubbed | ShadowEnded | BranchAbandoned;
