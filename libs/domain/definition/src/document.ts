import type { Json, JsonObject } from '@cairn/kernel';
import type { Bucket } from './buckets.js';

/** How bad it is if a step does the wrong thing (`capabilities.md` §3.2), least first. */
export const risks = ['low', 'medium', 'high', 'critical'] as const;
export type Risk = (typeof risks)[number];

/**
 * A workflow in canonical form (`capabilities.md` §3.1-§3.2): what `compileDefinition` gives, what is hashed, stored and pinned.
 * Every member that equals its default is absent, every duration is whole milliseconds. `cairn: 1` fixes the defaults for ever.
 */
export interface Definition {
  readonly cairn: 1;
  readonly name: string;
  readonly version: string;
  readonly goal?: string;
  readonly class?: 'short' | 'long';
  readonly input?: JsonSchema;
  readonly output?: OutputDocument;
  readonly on?: readonly StartDocument[];
  readonly attributes?: { readonly [name: string]: Json };
  readonly steps: readonly StepDocument[];
  readonly reduced?: readonly ReducedDocument[];
  readonly retry?: string;
  readonly limits?: LimitsDocument;
  readonly waive?: readonly WaiverDocument[];
}

/** JSON Schema 2020-12 without `$schema` and `$id`; references stay inside the document. */
export type JsonSchema = boolean | JsonObject;

/** Milliseconds. Authors may also write `10s`, `5m`, `2h`, `14d` or ISO 8601 without months and years. */
export type DurationMs = number;

export interface OutputDocument {
  readonly schema?: JsonSchema;
  readonly value?: Json;
}

export interface LimitsDocument {
  readonly age?: DurationMs;
  readonly occurrences?: number;
  readonly branches?: number;
}

/** Silences a lint rule, visibly: for one step, or for all of them. */
export interface WaiverDocument {
  readonly rule: string;
  readonly step?: string;
  readonly because: string;
}

/** A way to get by with less (C-REDUCED): some steps are dropped, and others, which run on no other path, take their place. */
export interface ReducedDocument {
  readonly id: string;
  /** Ids of steps of the workflow. */
  readonly drops: readonly string[];
  /** Steps that start only when the path is taken; the first of them at once, unless its `after` says otherwise. */
  readonly steps: readonly StepDocument[];
  /** What is not done then, for people. */
  readonly summary: string;
}

/** One entry of `on`: an event that starts a run, or reaches the run that its key already has. */
export interface StartDocument {
  readonly event: string;
  readonly key?: string;
  readonly where?: string;
  readonly input?: Json;
  readonly keep?: DurationMs;
  readonly duplicates?: Exclude<Duplicates, 'attach'>;
}

/** What a start event does when its key has a run: deliver to it, be refused, start another, or open a branch with the new input. */
export type Duplicates = 'attach' | 'reject' | 'new_run' | 'branch';

/** Exactly one of `task`, `decide`, `effect`, `wait`, `review`, `emit`, and common fields beside it. */
export interface StepDocument {
  readonly id: string;
  readonly purpose?: string;
  readonly after?: readonly string[];
  readonly join?: 'any' | number;
  readonly when?: string;
  readonly side?: true;
  readonly optional?: true;
  readonly input?: Json;
  readonly params?: Json;
  readonly output?: JsonSchema;
  readonly retry?: string;
  readonly fallback?: readonly FallbackDocument[];
  readonly timeout?: DurationMs;
  readonly lease?: DurationMs;
  readonly risk?: Risk;
  readonly checkpoint?: string;
  readonly repeat?: RepeatDocument;
  readonly task?: { readonly queue: string };
  readonly decide?: DecideDocument;
  readonly effect?: EffectDocument;
  readonly wait?: WaitDocument;
  readonly review?: ReviewDocument;
  readonly emit?: { readonly type: string; readonly key?: string; readonly data?: Json };
}

/** Another way to do a step's work, once its own is exhausted (C-FALLBACK). In the order in which they are tried. */
export interface FallbackDocument {
  readonly queue: string;
  /** Instead of the step's own; absent: those. */
  readonly params?: Json;
}

/** An act on the outside world (C-EFFECT). */
export interface EffectDocument {
  readonly queue: string;
  /** A template that gives a text: what the target knows this act by. */
  readonly key: string;
  /** JSON pointers into the input; absent: the whole of it. */
  readonly fields?: readonly string[];
  /** As it was said: silence means `none` too, but draws a warning, so a said `none` is another document. */
  readonly guarantee?: 'none' | 'reconcile' | 'idempotent';
  /** The queue whose handler finds out whether it happened. Needed for `guarantee: reconcile`. */
  readonly reconcile?: string;
  /** The queue whose handler undoes it. */
  readonly compensate?: string;
  /** What a shadow branch takes for its result where none is confirmed. */
  readonly stub?: Json;
}

export interface RepeatDocument {
  readonly until: string;
  readonly max: number;
  readonly pause?: DurationMs;
}

/** Exactly one of `any`, `all`, `atLeast`; a `deadline` or a reason why there is none. */
export interface WaitDocument {
  readonly any?: readonly TriggerDocument[];
  readonly all?: readonly TriggerDocument[];
  readonly atLeast?: { readonly k: number; readonly of: readonly TriggerDocument[] };
  readonly deadline?: DurationMs | { readonly at: string };
  readonly noDeadline?: { readonly because: string };
  readonly onDeadline?: OnDeadline;
  readonly staleAfter?: DurationMs;
  /** A side review, which is asked for when the wait is older than that: what depends on the wait goes on only as people say. */
  readonly staleReview?: string;
  readonly guard?: string;
  readonly lookBack?: 'none' | DurationMs;
  readonly keepOpen?: true;
}

/** What happens if nothing comes: a side step runs, the wait gives a value, fails, or the run gives up. */
export type OnDeadline = { readonly step: string } | { readonly value: Json } | { readonly fail: Bucket } | { readonly giveUp: true };

/** What an expression cannot say is decided by a handler, and the answer is one of the choices: `{choice, because}`. */
export interface DecideDocument {
  readonly queue: string;
  /** Absent only where it was refused. */
  readonly choices?: readonly string[];
}

/** What a person may decide (`capabilities.md` §3.5), in the order in which options are shown. */
export const verdicts = ['approve', 'edit', 'revise', 'reject'] as const;
export type Verdict = (typeof verdicts)[number];

/** What follows a verdict: one of the words, or `reduce:<id>`, `step:<side step>`. */
export type VerdictOutcome =
  'continue' | 'stop' | 'skip' | 'again' | 'fallback' | 'reduce' | 'give_up' | 'branch' | `reduce:${string}` | `step:${string}`;

/** People decide whether the run goes on (C-REVIEW). */
export interface ReviewDocument {
  /** Whose inbox it is in. */
  readonly queue: string;
  readonly question: string;
  /** What may be decided and what follows. Absent: approve and edit continue, revise opens a branch, reject stops. */
  readonly verdicts?: { readonly [verdict in Verdict]?: VerdictOutcome };
  /** Steps that start only with an approval of exactly what then runs. */
  readonly authorises?: readonly string[];
  /** JSON pointers into the input of the one step that it authorises, or without one into its own. */
  readonly editable?: readonly string[];
  /** `user:ana`, `group:cfo`; absent: every reviewer. */
  readonly candidates?: readonly string[];
  readonly quorum?: { readonly of?: number; readonly notSameAs?: readonly string[] };
  readonly deadline?: DurationMs;
  /** Absent: it is passed up. It never approves. */
  readonly onDeadline?: 'stop' | 'block' | `step:${string}`;
  /** To whom it is passed up, and how long after it was opened. */
  readonly escalate?: readonly { readonly to: string; readonly after: DurationMs }[];
  /** How long an approval holds until what it authorises starts. */
  readonly receiptTtl?: DurationMs;
  readonly evidence?: readonly Json[];
}

/** Exactly one of `event`, `signal`, `callback`, `timer`. */
export interface TriggerDocument {
  readonly event?: EventTriggerDocument;
  readonly signal?: string;
  readonly callback?: CallbackTriggerDocument;
  readonly timer?: DurationMs | { readonly at: string };
}

/** Whoever has the link that a task was given answers, once (`capabilities.md` §5.2). */
export interface CallbackTriggerDocument {
  readonly name: string;
  /** Of what may be sent to it; absent: anything. */
  readonly schema?: JsonSchema;
}

export interface EventTriggerDocument {
  readonly type: string;
  readonly key?: string;
  readonly where?: string;
  readonly from?: readonly string[];
  readonly keep?: DurationMs;
}
