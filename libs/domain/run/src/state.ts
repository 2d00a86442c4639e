import { PersistentMap, type Id, type Instant, type Json, type Revision } from '@cairn/kernel';
import type { BranchCause, BranchOpened, BranchSuperseded, EffectChoice } from './branches/events.js';
import type { EffectGuarantee } from './effects/events.js';
import type { RunStarted } from './lifecycle/events.js';
import type { JsonPatchOp } from '@cairn/domain-definition';
import type { ReviewWhy } from './reviews/events.js';
import type { CheckpointKind, RetryVerdict } from './recovery/events.js';
import type { ArtifactRef, Occurrence } from './shared-fields.js';
import type { WaitOpened } from './waits/events.js';

/** A step's result: inline, or where its bytes lie. */
export type StepOutput = { readonly value: Json } | { readonly ref: ArtifactRef };

export type StepStatus = 'active' | 'failed' | 'waiting' | 'succeeded' | 'skipped';

export interface StepEntry {
  readonly status: StepStatus;
  /** Attempts on this path. */
  readonly attempts: number;
  readonly output: StepOutput | null;
  /** What every attempt of the step is given; dropped when the step is settled. */
  readonly work?: StepWork;
}

export interface StepWork {
  readonly queue: string;
  readonly input: Json;
  readonly params: Json;
  readonly purpose?: string;
  /** What a person wants to be different (`revise`, `retry_modified`). */
  readonly guidance?: string;
  /** Of an effect: the intent that every attempt goes out with. Of work about one: that effect. */
  readonly effect?: { readonly key: string; readonly suffix: number };
}

export interface OpenAttempt {
  readonly step: Occurrence;
  readonly n: number;
  readonly taken: boolean;
  /** Of who was granted the claim. */
  readonly nonce?: string;
  readonly startedAt: Instant;
  /** Where its `StepStarted` stands, whose event id is the cause of its lapse. A carried attempt began on an earlier branch. */
  readonly startedBranch: string;
  readonly startedRevision: Revision;
}

/** How a closed attempt ended: by which reply, or null by a lapse, a decider or the run's end. */
export interface ClosedAttempt {
  readonly step: Occurrence;
  readonly replyId: string | null;
}

export interface RetryEntry {
  readonly step: Occurrence;
  readonly n: number;
  readonly message: string;
  readonly failedAt: Instant;
  /** Where its `StepFailed` stands: of two failures in one millisecond the later one. */
  readonly failedBranch: string;
  readonly failedRevision: Revision;
  /** Null until `RetryDecided`; of an escalation then what people decided. */
  readonly decision: RetryVerdict | null;
  readonly bucket: string | null;
  readonly notBefore: Instant | null;
  /** The rule by which something else follows than another try as it was, and whose inbox it is where people say what. */
  readonly judged?: { readonly queue: string | null; readonly rule: string };
  /** Blocked over an effect that is unknown. */
  readonly unknown?: true;
  /** The next attempt has started, or the step is settled otherwise: nothing is owed any more. */
  readonly settled: boolean;
}

export interface WaitEntry {
  readonly step: Occurrence;
  readonly open: boolean;
  readonly opened: WaitOpened['data'];
  readonly openedAt: Instant;
  readonly got: readonly CollectedTrigger[];
  readonly stale: string | null;
}

export interface CollectedTrigger {
  readonly trigger: number;
  readonly eventId: Id;
  readonly at: Instant;
  readonly data: StepOutput;
  /** Of an event from outside: how its sender names it. A timer has none. */
  readonly event?: { readonly source: string; readonly id: string; readonly type: string };
}

/** An event that came after a fork, and for which wait step. */
export interface ReceivedEvent extends CollectedTrigger {
  readonly step: Occurrence;
}

export type ReviewStatus = 'open' | 'escalated' | 'approved' | 'edited' | 'revised' | 'rejected' | 'expired' | 'withdrawn';

/** One asking of people, and what came of it. */
export interface ReviewEntry {
  readonly step: Occurrence;
  readonly n: number;
  readonly why: ReviewWhy;
  readonly status: ReviewStatus;
  /** What was asked about; after an edit what was approved. */
  readonly subjectDigest: string;
  /** What follows each verdict, as people were told. */
  readonly offers: { readonly [verdict: string]: string };
  /** `asked`: the digest that was shown; `digest`: the one that may run, which an edit makes another. */
  readonly subjects: readonly { readonly step: Occurrence; readonly asked: string; readonly digest: string }[];
  readonly requestedAt: Instant;
  readonly receiptTtlMs: number;
  /** How often it was passed up. */
  readonly level: number;
  readonly decidedAt: Instant | null;
  /** Revision of the review's stream that was applied. */
  readonly decided: number | null;
  readonly edits: readonly JsonPatchOp[] | null;
  /** It asks what becomes of this failed attempt. */
  readonly attemptId?: Id;
  /** No verdict came by its deadline, and somebody has to decide what becomes of the step. */
  readonly blocks?: boolean;
}

/** An approval that a branch takes along, until it comes to that review. */
export interface CarriedVerdict {
  readonly reviewId: Id;
  readonly entry: ReviewEntry;
  /** What expressions read as the review's output. */
  readonly output: {
    readonly verdict: 'approve' | 'edit';
    readonly by: readonly string[];
    readonly reason: string;
    readonly edits?: readonly JsonPatchOp[];
    readonly input?: Json;
  };
}

export type EffectStatus = 'intended' | 'confirmed' | 'absent' | 'unknown' | 'compensated';

/** The newest intent of one effect key. */
export interface EffectEntry {
  readonly suffix: number;
  readonly status: EffectStatus;
  readonly fingerprint: string;
  readonly guarantee: EffectGuarantee;
  readonly step: Occurrence;
  readonly attemptId: Id;
  /** Number of that attempt. */
  readonly n: number;
  /** An earlier attempt under this suffix may have done it: until that is known, no later one can say that it is not there. */
  readonly inDoubt: boolean;
  /** sha256 hex of the confirmed result's canonical JSON. */
  readonly result: string | null;
  /** The confirmed result itself: what a branch that reuses it goes on with. */
  readonly output: StepOutput | null;
  /** What its attempt was given: who reconciles or compensates it is told. */
  readonly work: Pick<StepWork, 'input' | 'params'> | null;
}

export interface Spend {
  readonly attempts: number;
  readonly usd: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

export interface RunEnd {
  /** `stopped` and `abandoned` are ends of shadows. */
  readonly outcome: 'succeeded' | 'reduced' | 'gave_up' | 'cancelled' | 'failed' | 'stopped' | 'abandoned';
  readonly at: Instant;
  readonly output?: StepOutput;
  readonly problem?: { readonly step?: Occurrence; readonly bucket?: string; readonly message: string };
}

/** The half that a fork rewinds. */
export interface Path {
  readonly steps: PersistentMap<StepEntry>;
  readonly attempts: PersistentMap<OpenAttempt>;
  readonly closed: PersistentMap<ClosedAttempt>;
  readonly waits: PersistentMap<WaitEntry>;
  readonly retries: PersistentMap<RetryEntry>;
  readonly reviews: PersistentMap<ReviewEntry>;
  readonly checkpoints: PersistentMap<CheckpointKind>;
  /** Name of the newest one. */
  readonly checkpoint: string | null;
  /** Step -> what branches changed about its work (`queue`, `input`, `params`), in the order in which they did. */
  readonly changed: PersistentMap<readonly JsonPatchOp[]>;
  /** Reduced paths that are taken. */
  readonly reduced: readonly string[];
  /** Steps that a branch leaves out by name. */
  readonly skips: readonly string[];
  /** What becomes of effects that the branch left behind, by key, until they have. */
  readonly choices: PersistentMap<EffectChoice>;
  /** Events that came after the fork, by receipt, until their wait has taken them. */
  readonly carried: PersistentMap<ReceivedEvent>;
  /** Approvals of the head that it followed, which count here for exactly what was approved. */
  readonly verdicts: readonly CarriedVerdict[];
  /** Steps that a reduced path dropped. */
  readonly scope: PersistentMap<true>;
  /** Turns of each loop so far. */
  readonly loops: PersistentMap<number>;
  /** Wait whose deadline passed -> side step that runs in its place: the wait counts as settled when that is. */
  readonly detours: PersistentMap<string>;
  /** Nothing starts. */
  readonly paused: boolean;
  /** Occurrences that were settled while the run was paused: what follows from them starts when it goes on. */
  readonly deferred: readonly Occurrence[];
  /** How many of each kind hold, so that the run's state is known without looking at all entries. */
  readonly counts: Counts;
}

export interface Counts {
  readonly firstAttempts: number;
  readonly laterAttempts: number;
  /** Failed attempts without a decision, and decided retries that have not started. */
  readonly retriesOwed: number;
  readonly blocked: number;
  /** Of `blocked`, those whose effect is unknown. */
  readonly unknown: number;
  readonly openWaits: number;
  readonly openReviews: number;
  /** Of `openReviews`, those that were passed up or ask about a failure. */
  readonly escalatedReviews: number;
  /** Step outputs held by reference: while there are none, no decision needs anything loaded. */
  readonly refs: number;
}

/** The half that never rewinds: why a fork cannot use one event twice or reset a limit. */
export interface Ledger {
  /** canon([wait step, event id]) of each external event that counted. */
  readonly used: PersistentMap<true>;
  /** By step, and under "" for the whole run. */
  readonly spend: PersistentMap<Spend>;
  /** By key. Never rewinds: why a fork cannot pay twice. */
  readonly effects: PersistentMap<EffectEntry>;
  /** canon([attempt id, reply id]). */
  readonly late: PersistentMap<true>;
  /** Causes of every `RunPaused`, `RunUnpaused`, `BranchSuperseded` and `ShadowOpened`: what is delivered again after it was done must not be done again (I-28). */
  readonly controls: readonly string[];
  /** Every branch of the run that is known here. The next one's name follows from how many there are. */
  readonly branches: PersistentMap<BranchEntry>;
  readonly epoch: number;
  /** Attempts that people have granted beyond `limits.occurrences`. */
  readonly granted: number;
}

export interface BranchEntry {
  readonly head: boolean;
  /** Counts the heads of the run. */
  readonly epoch: number;
  /** The run ended on it. */
  readonly ended: boolean;
  /** It acts on nothing, and never becomes the head. */
  readonly shadow?: true;
  /** Of a shadow: what it spent counts in the run since a branch was opened from it. */
  readonly counted?: true;
}

/** A run as folded from its streams. Nothing else says what a run is. */
export interface RunState {
  readonly runId: Id;
  readonly branch: string;
  /** Of the last event folded; -1 before the first. */
  readonly revision: Revision;
  readonly at: Instant | null;
  readonly started: RunStarted['data'] | null;
  readonly startedAt: Instant | null;
  readonly path: Path;
  readonly ledger: Ledger;
  readonly end: RunEnd | null;
  /** This branch is over: where the run goes on. */
  readonly superseded: BranchSuperseded['data'] | null;
  /** Before a branch's first event alone: what came after the fork, of which that event says what is carried. */
  readonly received: readonly ReceivedEvent[];
  /** Before a branch's first event alone: how the head stood that it follows. */
  readonly left: LeftPath | null;
  /** What its handlers are told of the path before it; null of `main`, and where a branch tells nothing. */
  readonly lesson: Lesson | null;
  /** What this branch was opened with; null of `main`. */
  readonly opened: BranchOpened['data'] | null;
  /** Of a shadow alone. */
  readonly shadow: ShadowBeginning | null;
  readonly status: RunStatus;
  /** The state at the last checkpoint: where the next digest starts counting differences. */
  readonly digested: Digested | null;
}

/** A step of the path that was left, which could not go on there. */
export interface LessonFailure {
  readonly step: Occurrence;
  /** How often it was tried. */
  readonly attempts: number;
  /** As it was judged; null while nobody had. */
  readonly bucket: string | null;
  readonly message: string;
}

/** How the head stood that a branch follows. */
export interface LeftPath {
  readonly branch: string;
  readonly revision: Revision;
  readonly outcome: RunEnd['outcome'] | null;
  readonly failures: readonly LessonFailure[];
  /** What was approved there after the fork. */
  readonly verdicts: readonly CarriedVerdict[];
}

/** What the handlers of a branch are told of the path before it, so that they need not learn it again (`capabilities.md` §6). */
export interface Lesson {
  readonly branch: string;
  readonly cause: BranchCause;
  readonly reason: string;
  /** Where it grew. */
  readonly from: string;
  /** The head that it follows, where that was left. */
  readonly left: string;
  /** How the run had ended there, if it had. */
  readonly outcome?: RunEnd['outcome'];
  readonly failures: readonly LessonFailure[];
  /** What is different here. A large value is left out: the history has it. */
  readonly changes: readonly { readonly op: string; readonly path: string; readonly value?: Json }[];
  /** Lessons of the branches that this one grew from, the newest first. */
  readonly before?: readonly Omit<Lesson, 'before'>[];
}

/** What a shadow knows of the head that announced it. */
export interface ShadowBeginning {
  /** The head's steps: what they got from outside is what the shadow's get. */
  readonly steps: PersistentMap<StepEntry>;
  /** What the run had spent: the rest of its spend is the shadow's own. */
  readonly spend: PersistentMap<Spend>;
  /** The first step that took a result of something that this path never did: no branch that acts grows from behind it. */
  readonly stubbed: Occurrence | null;
}

export interface Digested {
  readonly path: Path;
  readonly ledger: Ledger;
}

/** `capabilities.md` §2.1: exactly one at a time, and since when. */
export interface RunStatus {
  readonly state: 'complete' | 'blocked' | 'escalated' | 'active' | 'retrying' | 'in_review' | 'waiting';
  readonly sub: string | null;
  readonly since: Instant | null;
}

export function initialState(runId: Id, branch = 'main'): RunState {
  return {
    runId,
    branch,
    revision: -1,
    at: null,
    started: null,
    startedAt: null,
    path: {
      steps: PersistentMap.empty(),
      attempts: PersistentMap.empty(),
      closed: PersistentMap.empty(),
      waits: PersistentMap.empty(),
      retries: PersistentMap.empty(),
      reviews: PersistentMap.empty(),
      checkpoints: PersistentMap.empty(),
      checkpoint: null,
      changed: PersistentMap.empty(),
      reduced: [],
      skips: [],
      choices: PersistentMap.empty(),
      carried: PersistentMap.empty(),
      verdicts: [],
      scope: PersistentMap.empty(),
      loops: PersistentMap.empty(),
      detours: PersistentMap.empty(),
      paused: false,
      deferred: [],
      counts: {
        firstAttempts: 0,
        laterAttempts: 0,
        retriesOwed: 0,
        blocked: 0,
        unknown: 0,
        openWaits: 0,
        openReviews: 0,
        escalatedReviews: 0,
        refs: 0,
      },
    },
    ledger: {
      used: PersistentMap.empty(),
      spend: PersistentMap.empty(),
      effects: PersistentMap.empty(),
      late: PersistentMap.empty(),
      controls: [],
      branches: PersistentMap.empty(),
      epoch: 1,
      granted: 0,
    },
    end: null,
    superseded: null,
    received: [],
    left: null,
    lesson: null,
    opened: null,
    shadow: null,
    status: { state: 'active', sub: null, since: null },
    digested: null,
  };
}

/** Work about an effect that is an attempt of its own: finding out whether it happened, undoing it. */
export type EffectPart = 'reconcile' | 'compensate';
const PART = /^(.+)\/(reconcile|compensate|ask)$/;

/** What is said of an effect beside its step: attempts about it, and people who are asked. */
export type AboutEffect = EffectPart | 'ask';

/** `pay/reconcile`. */
export const partOf = (step: string, part: AboutEffect): Occurrence => `${step}/${part}`;

/**
 * The loop step that an occurrence is a turn of, and which turn; turn 0 for a step that does not loop. `part`: it is not the step itself but
 * work about its effect.
 */
export function parseOccurrence(occurrence: Occurrence): { step: string; turn: number; part?: AboutEffect } {
  const [, of, part] = PART.exec(occurrence) ?? [];
  if (of !== undefined) return { step: of, turn: 0, part: part as AboutEffect };
  const hash = occurrence.indexOf('#');
  return hash < 0 ? { step: occurrence, turn: 0 } : { step: occurrence.slice(0, hash), turn: Number(occurrence.slice(hash + 1)) };
}
