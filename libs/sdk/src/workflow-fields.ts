import type { z } from 'zod';
import type { Json, JsonObject } from '@cairn/kernel';
import type { Duplicates, Guarantee, OnDeadline, Risk, Verdict, VerdictOutcome } from '@cairn/domain-definition';

/** `10s`, `5m`, `2h`, `14d`, ISO 8601 without months and years, or whole milliseconds; at most 5 years. */
export type Duration = string | number;
/** JSON whose strings may hold `${CEL}`; `ref` writes such strings. */
export type Value = Json;
/** A zod schema, or JSON Schema 2020-12. */
export type SchemaOf = z.ZodType | JsonObject | boolean;

export interface WorkflowOptions {
  readonly version: string;
  /** What the run is for; kept in its first event. */
  readonly goal?: string;
  readonly class?: 'short' | 'standard' | 'long';
  /** At most 20 searchable values. */
  readonly attributes?: { readonly [name: string]: string | number | boolean };
  readonly limits?: { readonly age?: Duration; readonly occurrences?: number; readonly branches?: number };
  /** The retry policy of steps that name none: `name`, or `name@version`. */
  readonly retry?: string;
  readonly waive?: readonly { readonly rule: string; readonly step?: string; readonly because: string }[];
}

export interface StartFields {
  readonly event: string;
  readonly key?: string;
  readonly where?: string;
  readonly input?: Value;
  readonly keep?: Duration;
  readonly duplicates?: Exclude<Duplicates, 'branch'>;
}

/** What every kind of step may say. */
export interface StepFields {
  readonly purpose?: string;
  /** Default: the step above that is on the path. `[]`: at once. */
  readonly after?: readonly string[];
  readonly join?: 'all' | 'any' | number;
  readonly when?: string;
  readonly side?: boolean;
  readonly optional?: boolean;
  readonly input?: Value;
  readonly params?: Value;
  readonly risk?: Risk;
  readonly checkpoint?: string;
}

/** What a step may say whose work a handler does. */
export interface WorkFields extends StepFields {
  readonly queue: string;
  readonly output?: SchemaOf;
  readonly retry?: string;
  /** Other ways to do the work, tried in this order once the own one is exhausted and the retry policy says `fallback`. At most 5. */
  readonly fallback?: readonly { readonly queue: string; readonly params?: Value }[];
  readonly timeout?: Duration;
  readonly lease?: Duration;
}

/** An act on the outside world. */
export interface EffectFields extends WorkFields {
  /** What it is for: people read it when nobody knows whether it was done. */
  readonly purpose: string;
  /** What the target knows this act by; equal in every attempt. */
  readonly key: string;
  /** JSON pointers into the input that carry the act's meaning. Default: the whole input. */
  readonly fields?: readonly string[];
  /**
   * What follows if nobody learns whether it was done. `idempotent`: it is sent again under its key. `reconcile`: the queue `reconcile` is
   * asked first. `none`: a person decides.
   */
  readonly guarantee?: Guarantee;
  /** The queue of the handler that finds out whether it was done: it answers `{ found: true | false | null, result? }`. */
  readonly reconcile?: string;
  /** The queue of the handler that undoes it. */
  readonly compensate?: string;
}

export interface TaskFields extends WorkFields {
  readonly repeat?: { readonly until: string; readonly max: number; readonly pause?: Duration };
}

/** A decision of a handler, a model most often. */
export interface DecideFields extends Omit<WorkFields, 'output'> {
  /** 2 to 50 names. */
  readonly choices: readonly string[];
}

export interface EmitFields extends StepFields {
  readonly type: string;
  readonly key?: string;
  readonly data?: Value;
}

/** A reduced path: what it drops, and what that means, for people. */
export interface ReducedFields {
  readonly drops: readonly string[];
  readonly summary: string;
}

/** Exactly one of `any`, `all`, `atLeast`. */
export interface WaitFields extends StepFields {
  readonly any?: readonly TriggerFields[];
  readonly all?: readonly TriggerFields[];
  readonly atLeast?: { readonly k: number; readonly of: readonly TriggerFields[] };
  readonly deadline?: Duration | { readonly at: string };
  readonly noDeadline?: { readonly because: string };
  readonly onDeadline?: OnDeadline;
  readonly staleAfter?: Duration;
  /** Id of a side review that is asked for then. */
  readonly staleReview?: string;
  readonly guard?: string;
  readonly lookBack?: 'run' | 'none' | Duration;
  readonly keepOpen?: boolean;
}

/** A review: who is asked what, and what follows each verdict (`capabilities.md` §3.5). */
export interface ReviewFields extends StepFields {
  /** Whose inbox it is in. */
  readonly queue: string;
  /** Text that may hold `${CEL}`; at most 500 characters. */
  readonly question: string;
  /** What may be decided and what follows. Default: approve and edit continue, revise opens a branch, reject stops. A list: these, as by default. */
  readonly verdicts?: { readonly [verdict in Verdict]?: VerdictOutcome } | readonly Verdict[];
  /** Steps that start only with an approval of exactly what then runs. */
  readonly authorises?: readonly string[];
  /** JSON pointers into the input of the one step that it authorises, or without one into its own. */
  readonly editable?: readonly string[];
  /** `user:ana`, `group:cfo`. Default: every reviewer. */
  readonly candidates?: readonly string[];
  /** How many must agree, and who may not be among them: `branch.actor`, `run.starter`, `step:<id>`. */
  readonly quorum?: { readonly of?: number; readonly notSameAs?: readonly string[] };
  readonly deadline?: Duration;
  /** Default `escalate`. It never approves. */
  readonly onDeadline?: 'escalate' | 'stop' | 'block' | `step:${string}`;
  /** To whom it is passed up, and how long after it was opened. At most 5. */
  readonly escalate?: readonly { readonly to: string; readonly after: Duration }[];
  /** How long an approval holds until what it authorises starts. Default 24 hours. */
  readonly receiptTtl?: Duration;
  readonly evidence?: readonly Value[];
}

export type TriggerFields =
  | {
      readonly event: {
        readonly type: string;
        readonly key?: string;
        readonly where?: string;
        readonly from?: readonly string[];
        readonly keep?: Duration;
      };
    }
  | { readonly signal: string }
  | { readonly timer: Duration | { readonly at: string } };
