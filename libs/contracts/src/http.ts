import type { FieldError, Id, Instant, Json, JsonObject, Revision } from '@cairn/kernel';
import type { Receipt, RejectionBody } from './messages.js';
import { isEffectControl, OPEN_BRANCH, RESCHEDULE_WAIT, type ControlVerb } from './subjects.js';

/** Bytes of a request's body at most, but for exchange frames (`FRAME_BYTES_MAX`). */
export const BODY_BYTES_MAX = 262_144;
/** Bytes of an artifact that is put over HTTP at most: it is held in memory while it is hashed. */
export const ARTIFACT_UPLOAD_BYTES_MAX = 16 * 1_048_576;
/** Items of one page: without `limit=`, and at most. */
export const PAGE_DEFAULT = 50;
export const PAGE_MAX = 200;
/** Events of one page of a history, at most and by default. */
export const HISTORY_PAGE_MAX = 10_000;
/** How long `result?waitMs=` and `work/{queue}:poll` may be held open; proxies cut at a minute. */
export const HOLD_MS_MAX = 55_000;
/** Characters of a run id's tail that must be given at least (`runs?tail=`): fewer would match by chance. */
export const TAIL_MIN = 6;

/** CloudEvents source of what people do over HTTP; part of the id of a run that was started without a key. */
export const HTTP_SOURCE = '/cairn/http';
/** Source of the events that uses of links are; their id is the digest of the token. */
export const CALLBACK_SOURCE = '/cairn/callbacks';
/** Who asks over HTTP: the one holder of the token. People get names with sign-in. */
export const HTTP_ACTOR = 'user:local';
/** Types of the direct inbound events. */
export const START_TYPE = 'cairn.run.start.v1';
export const SIGNAL_TYPE = 'cairn.run.signal.v1';
/**
 * Type of the event that controls a run: `cairn.run.cancel.v1`, `.pause.`, `.unpause.`, `cairn.branch.open.v1`, `cairn.effect.reconcile.v1`,
 * `.compensate.`, `cairn.wait.reschedule.v1`.
 */
export const controlType = (verb: ControlVerb): string =>
  `cairn.${verb === OPEN_BRANCH || verb === RESCHEDULE_WAIT || isEffectControl(verb) ? verb : `run.${verb}`}.v1`;
/** Characters of a reason that people give. */
export const REASON_MAX = 1_024;

/** `PUT artifacts`: by this an output, or anything else, names the bytes. */
export interface ArtifactView {
  /** `sha256:` and 64 hex characters. */
  readonly artifact: string;
  readonly bytes: number;
  readonly mediaType: string;
}

export interface StartRunRequest {
  readonly key?: string;
  readonly input?: Json;
  readonly attributes?: JsonObject;
}

export interface StartRunResponse {
  readonly runId: Id;
  readonly receiptId: Id;
  /** `pending`: scheduling has not answered in time; the receipt will say. */
  readonly outcome: 'started' | 'attached' | 'branched' | 'pending';
  /** Of `branched`: the one that was opened. */
  readonly branch?: string;
}

export interface SignalRequest {
  readonly data?: Json;
}

export type RunStateName = 'active' | 'blocked' | 'waiting' | 'retrying' | 'in_review' | 'escalated' | 'complete';
export const runStateNames: readonly RunStateName[] = ['active', 'blocked', 'waiting', 'retrying', 'in_review', 'escalated', 'complete'];

/** A run as lists and `GET runs/{id}` show it (`capabilities.md` §2.1). */
export interface RunView {
  readonly run: Id;
  readonly workflow: string;
  readonly version: string;
  readonly key?: string;
  readonly goal: string | null;
  readonly state: RunStateName;
  readonly sub?: string;
  readonly head: string;
  readonly revision: Revision;
  /** When it came into this state. */
  readonly since: Instant;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
  readonly attributes: JsonObject;
  readonly flags: readonly string[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Present while there is more. */
  readonly cursor?: string;
}

export interface RunResultView {
  readonly run: Id;
  readonly state: RunStateName;
  readonly outcome?: string;
  readonly output?: Json;
  readonly message?: string;
}

export interface WaitView {
  readonly wait: Id;
  readonly run: Id;
  readonly workflow: string;
  readonly branch: string;
  readonly step: string;
  readonly state: 'open' | 'satisfied' | 'expired' | 'withdrawn';
  readonly stale: boolean;
  readonly mode: string;
  /** It collects until its deadline. */
  readonly keepOpen?: true;
  readonly triggers: readonly JsonObject[];
  /** Receipt ids of what has come. */
  readonly got: readonly { readonly trigger: number; readonly eventId: Id; readonly at: Instant; readonly kept: boolean }[];
  readonly openedAt: Instant;
  readonly deadline: Instant | null;
  readonly staleAt: Instant | null;
  readonly endedAt?: Instant;
  readonly contract: JsonObject;
}

export interface StoredEventView {
  readonly stream: string;
  readonly revision: Revision;
  readonly type: string;
  readonly version: number;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

export interface HistoryView {
  readonly run: Id;
  readonly branches: readonly { readonly branch: string; readonly events: readonly StoredEventView[] }[];
  /** Where `from=` goes on: a revision of the first branch or of the one asked for, else `b2@17`. Absent when this was all. */
  readonly next?: Revision | string;
}

export interface BranchPlace {
  readonly branch: string;
  readonly revision: Revision;
}

/** `GET runs/{id}/branches`: the original path, why it failed, what each branch changed. In the order in which they were announced. */
export interface BranchesView {
  readonly run: Id;
  /** The branch that may act. */
  readonly head: string;
  readonly state: RunStateName;
  readonly sub?: string;
  readonly branches: readonly BranchView[];
}

export interface BranchView {
  readonly branch: string;
  readonly head: boolean;
  readonly shadow: boolean;
  /** Counts the heads of the run. */
  readonly epoch: number;
  /** Of its last event; -1 of one that is announced and not opened yet. */
  readonly revision: Revision;
  /** What it was opened with; absent of the first. */
  readonly opened?: {
    readonly at: Instant;
    readonly actor: string;
    readonly parent: BranchPlace;
    readonly checkpoint: string | null;
    readonly cause: string;
    readonly reason: string;
    readonly evidence: readonly string[];
    readonly changes: readonly JsonObject[];
    /** What became of each effect that it left behind, by key. */
    readonly effects: { readonly [key: string]: string };
  };
  /** What became of it; `open` of the head of a run that goes on. */
  readonly outcome: 'open' | 'superseded' | 'abandoned' | 'stopped' | 'succeeded' | 'reduced' | 'gave_up' | 'cancelled' | 'failed';
  readonly endedAt?: Instant;
  readonly supersededBy?: string;
  /** Of a shadow that goes no further: what each step lacks. */
  readonly stops?: readonly string[];
  /** What it could not go on from. */
  readonly failure?: { readonly step?: string; readonly bucket: string; readonly attempts?: string; readonly message: string };
  /** One for each append with a success, a checkpoint or a failure; failures of one step that follow each other are one. The newest. */
  readonly marks: readonly { readonly kind: 'success' | 'checkpoint' | 'failure'; readonly revision: Revision; readonly name: string }[];
  /** Older ones that are left out. */
  readonly marksBefore: number;
}

/** `POST runs/{id}/branches:plan`: what a branch would keep, run again and take along, and what must be chosen before it may be opened. */
export interface BranchPlanView {
  /** `main@6`. */
  readonly fork: string;
  readonly checkpoint: string | null;
  readonly head: string;
  readonly keeps: readonly string[];
  readonly reruns: readonly string[];
  readonly received: readonly { readonly id: string; readonly says: string; readonly default: string; readonly choice: string }[];
  readonly effects: readonly {
    readonly key: string;
    readonly step: string;
    readonly status: string;
    readonly choices: readonly string[];
    readonly choice: string | null;
  }[];
  readonly problems: readonly FieldError[];
  readonly unresolved: readonly string[];
  /** Of a plan that was asked for; absent of one that comes with a refusal. */
  readonly forecast?: BranchForecast;
}

/** What the part that is not kept has cost and taken in `sample` runs of the workflow that have ended; null where there are none. */
export interface BranchForecast {
  readonly usd: number | null;
  readonly seconds: number | null;
  readonly sample: number;
  /** The share of them that completed. */
  readonly completed: number | null;
}

/** `GET runs/{id}/branches/{a}...{b}/diff`: what is different, and nothing else. */
export interface BranchDiffView {
  readonly run: Id;
  readonly a: BranchDiffSide;
  readonly b: BranchDiffSide;
  /** Up to here the two have one path. */
  readonly ancestor: BranchPlace;
  /** What the branches on the way from the ancestor were opened with. */
  readonly changes: readonly {
    readonly side: 'a' | 'b';
    readonly branch: string;
    readonly parent: BranchPlace;
    readonly cause: string;
    readonly reason: string;
    readonly actor: string;
    readonly changes: readonly JsonObject[];
    readonly effects: { readonly [key: string]: string };
  }[];
  /** By occurrence; null where the path does not have it. */
  readonly steps: readonly {
    readonly step: string;
    readonly differs: readonly (keyof BranchDiffStep)[];
    readonly a: BranchDiffStep | null;
    readonly b: BranchDiffStep | null;
  }[];
  /** Steps that are the same on both. */
  readonly same: number;
  readonly effects: readonly { readonly key: string; readonly a: BranchDiffEffect | null; readonly b: BranchDiffEffect | null }[];
}

/** A whole path, from the run's start to the branch's last event. */
export interface BranchDiffSide extends BranchPlace {
  readonly outcome: BranchView['outcome'];
  /** Why the branch could not go on, if it could not. */
  readonly failure?: BranchView['failure'];
  readonly attempts: number;
  readonly usd: number;
  readonly seconds: number;
}

export interface BranchDiffStep {
  /** Absent of what has no task. */
  readonly queue?: string;
  readonly input?: Json;
  readonly params?: Json;
  readonly attempts: number;
  /** `stubbed`: in a shadow, which took what was known for what it would have done, or asked. `given`: its output was set by hand, by whoever opened the branch. */
  readonly outcome: 'open' | 'succeeded' | 'failed' | 'skipped' | 'stubbed' | 'given' | 'expired' | 'withdrawn';
  /** Of a step that asks people: what they decided, and who. */
  readonly verdict?: { readonly verdict: string; readonly by: readonly string[]; readonly edits?: Json };
  /** `sha256:…` of its canonical JSON; none of a `stubbed` step that takes over what the head got. */
  readonly output?: string;
  readonly failure?: { readonly bucket?: string; readonly code?: string; readonly message: string };
  readonly usd: number;
  /** From its first start; null while it is open. */
  readonly seconds: number | null;
}

export interface BranchDiffEffect {
  /** `reused`: the path took the result of an effect that another one had confirmed. */
  readonly status: EffectView['status'] | 'reused';
  readonly suffix: number;
  readonly fingerprint: string;
}

/** `GET runs/{id}/verify`. */
export interface VerifyView {
  readonly run: Id;
  readonly violations: readonly {
    readonly invariant: string;
    readonly branch: string;
    readonly revision: Revision;
    readonly says: string;
  }[];
}

/** `POST runs/{id}:cancel`, `:pause`, `:unpause`. */
export interface RunControlRequest {
  readonly reason?: string;
}

/** `GET runs/{id}/why`: who has the ball, in one sentence, and what moves it (U-11). */
export interface WhyView {
  readonly run: Id;
  readonly state: RunStateName;
  readonly sub?: string;
  readonly since: Instant;
  /** One sentence. */
  readonly says: string;
  /** The command that moves it, or shows more. */
  readonly next: string;
  /** What the sentence was made from, one entry for everything that the run waits for, most pressing first. */
  readonly because: readonly WhyReason[];
  /** With `?not=`: what has not moved it, and where that failed (`cairn why --not`). */
  readonly not?: readonly WhyNot[];
}

/** Why something did not move the run (U-11). */
export interface WhyNot {
  readonly says: string;
  /** What it would have moved. */
  readonly step?: string;
  /** The event that did not. */
  readonly event?: { readonly receiptId: Id; readonly type: string; readonly source: string; readonly key?: string };
  /** Which clause failed, and how. */
  readonly clause?: string;
  readonly expected?: Json;
  readonly got?: Json;
}

export interface WhyReason {
  readonly kind:
    | 'complete'
    | 'imported'
    | 'paused'
    | 'effect_unknown'
    | 'awaiting_decision'
    | 'no_execution'
    | 'no_handler'
    | 'queued'
    | 'with_handler'
    | 'handed_out'
    | 'undecided'
    | 'retry_due'
    | 'in_review'
    | 'escalated'
    | 'waiting'
    | 'deciding';
  readonly says: string;
  readonly next: string;
  readonly step?: string;
  readonly attemptId?: Id;
  readonly queue?: string;
  /** When it moves by itself at the latest. */
  readonly at?: Instant;
}

/** `GET runs/{id}/retries`: each failure of the run in order, and what was made of it (`cairn retry explain`). */
export interface RetryView {
  readonly step: string;
  readonly attempt: number;
  readonly attemptId: Id;
  readonly branch: string;
  readonly revision: Revision;
  readonly failedAt: Instant;
  readonly failure: JsonObject;
  /** Absent while retry-policy has not judged it. */
  readonly decided?: {
    readonly revision: Revision;
    readonly at: Instant;
    readonly bucket: string;
    readonly decision: string;
    readonly justification: JsonObject;
    readonly policy: JsonObject;
    readonly notBefore?: Instant;
    readonly queue?: string;
    /** What is different on the branch that the decision opens: `{patch}`, `{fallback: i}` or `{reduce: id}`. */
    readonly change?: JsonObject;
    /** The branch that it opened: what follows is there. */
    readonly opens?: { readonly branch: string; readonly cause: string; readonly changes: readonly JsonObject[] };
  };
  /** Of an escalation: what people have decided. */
  readonly people?: {
    readonly revision: Revision;
    readonly at: Instant;
    readonly by: readonly string[];
    readonly verdict: string;
    /** `again`, `branch`, `fallback:0`, `reduce:short`, `give_up`. */
    readonly then: string;
    readonly reason: string;
    readonly review: Id;
    readonly opens?: { readonly branch: string; readonly cause: string; readonly changes: readonly JsonObject[] };
  };
  /** The step is optional: the run went on without it. */
  readonly passedOver?: true;
  /** One sentence: why it was retried, or why not. */
  readonly says: string;
}

/** `GET runs/{id}/effects`: the ledger by key. */
export interface EffectView {
  readonly run: Id;
  readonly key: string;
  readonly suffix: number;
  readonly status: 'intended' | 'confirmed' | 'absent' | 'unknown' | 'compensated';
  readonly fingerprint: string;
  readonly guarantee: string;
  readonly step: string;
  /** Everything the history says of it, oldest first. */
  readonly history: readonly {
    readonly event: string;
    readonly branch: string;
    readonly revision: Revision;
    readonly at: Instant;
    readonly attemptId: Id;
    readonly because?: string;
  }[];
}

export interface PolicySummary {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly revision: Revision;
  readonly appliedAt: Instant;
}

/** `GET policies/{name}?version=`. */
export interface PolicyView extends PolicySummary {
  readonly policy: JsonObject;
}

/** Body of `subjects.command(ns, 'retry-policy', 'apply-policy')`. The document in any spelling; retry-policy compiles it. */
export interface ApplyPolicyMessage {
  readonly actor: string;
  readonly name: string;
  readonly document: JsonObject;
}

/** What retry-policy answers to it. `unchanged`: the newest version has this hash. */
export type ApplyPolicyAnswer =
  | {
      readonly kind: 'applied' | 'unchanged';
      readonly name: string;
      readonly version: number;
      readonly hash: string;
      readonly revision: Revision;
    }
  | { readonly kind: 'rejected'; readonly rejection: RejectionBody };

export interface DefinitionSummary {
  readonly name: string;
  readonly version: string;
  readonly hash: string;
  readonly appliedAt: Instant;
}

export interface DefinitionView extends DefinitionSummary {
  readonly definition: JsonObject;
}

/**
 * What scheduling answers to whoever asks on `CAIRN_IN`: the receipt, `pending` where nothing could be said yet. What is no event at all
 * has no receipt.
 */
export type IntakeAnswer = Receipt | { readonly outcome: 'refused'; readonly receiptId?: undefined; readonly problem: RejectionBody };

/** Body of `subjects.command(ns, 'scheduling', 'apply-definition')`. The document in any spelling; scheduling compiles it. */
export interface ApplyDefinitionMessage {
  readonly actor: string;
  readonly name: string;
  readonly document: JsonObject;
}

/** What scheduling answers to it. `unchanged`: that version is stored with this hash. */
export type ApplyDefinitionAnswer =
  | {
      readonly kind: 'applied' | 'unchanged';
      readonly name: string;
      readonly version: string;
      readonly hash: string;
      readonly revision: Revision;
      readonly warnings: readonly FieldError[];
    }
  | { readonly kind: 'rejected'; readonly rejection: RejectionBody };

/** `POST bundles`: an imported run is shown, and acts on nothing. `extended`: it goes on from a bundle that was imported before. */
export interface ImportView {
  readonly run: Id;
  readonly outcome: 'imported' | 'extended' | 'unchanged' | 'pending';
  readonly bundle: string;
  readonly lines: number;
  /** Of the bundle's last line, which all others are chained to. */
  readonly hash: string;
}

/** What scheduling answers to `ImportBundleMessage`. */
export type ImportBundleAnswer =
  { readonly kind: 'imported' | 'extended' | 'unchanged' } | { readonly kind: 'rejected'; readonly rejection: RejectionBody };
