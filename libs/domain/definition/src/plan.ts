import type { FieldError, Json } from '@cairn/kernel';
import type { Expression, Template } from './expressions.js';
import type { Definition, Duplicates, OnDeadline, Risk, StepDocument, Verdict, VerdictOutcome } from './document.js';

/** A definition that is ready to run: defaults filled in, expressions and schemas compiled. Immutable; equal hash, equal plan. */
export interface Plan {
  readonly hash: string;
  readonly definition: Definition;
  readonly name: string;
  readonly version: string;
  readonly class: 'short' | 'standard' | 'long';
  readonly goal?: Template;
  readonly attributes: Readonly<Record<string, Template>>;
  readonly output?: { readonly schema?: unknown; readonly value?: Template; validate(value: Json): FieldError[] };
  /** Pointers are relative to the value. Empty: the value is good. */
  validateInput(value: Json): FieldError[];
  /** In the definition's order, those of reduced paths last; which is also the order inside one append. */
  readonly steps: readonly PlannedStep[];
  step(id: string): PlannedStep | undefined;
  /** Steps on the path: all but the side steps and those of reduced paths. */
  readonly mainCount: number;
  readonly starts: readonly StartTrigger[];
  readonly limits: PlanLimits;
  /** Declared ways to complete with less (C-REDUCED). */
  readonly reduced: readonly PlannedReduced[];
  /** What expressions see as `callbacks`: by wait and name the text that stands for the token in the history (`callbackReference`). */
  readonly callbacks: { readonly [wait: string]: { readonly [name: string]: string } };
  /** Every policy that a task or an effect of this plan names, once. No version: the newest when a run starts, which then pins it. */
  readonly retryPolicies: readonly PolicyName[];
}

export interface PlanLimits {
  readonly ageMs: number;
  readonly occurrences: number;
  readonly branches: number;
}

/** A reduced path: what it drops, and the steps that only it has. */
export interface PlannedReduced {
  readonly id: string;
  readonly drops: readonly string[];
  readonly steps: readonly string[];
  readonly summary: string;
}

export interface PolicyName {
  readonly name: string;
  readonly version?: number;
}

export type StepKind = 'task' | 'effect' | 'wait' | 'review' | 'emit';

export interface PlannedStep {
  readonly index: number;
  readonly id: string;
  /** Where it stands in the definition, and what stands there. */
  readonly pointer: string;
  readonly document: StepDocument;
  readonly kind: StepKind;
  /** Effective: the step above on the path unless the document says otherwise. Empty for the first and for side steps. */
  readonly after: readonly string[];
  /** `k`: how many of `after` must be settled before the step starts. */
  readonly join: { readonly kind: 'all' | 'any' | 'atLeast'; readonly k: number };
  /** Steps whose `after` names this one, in the definition's order. */
  readonly dependents: readonly string[];
  readonly when?: Expression;
  readonly side: boolean;
  /** Of a reduced path: it never starts unless that path is taken. */
  readonly reduced?: string;
  readonly optional: boolean;
  readonly input: Template;
  readonly params: Template;
  validateOutput(value: Json): FieldError[];
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly retry: PolicyName;
  /** Declared alternatives, in the order in which they are tried; of a task or an effect, else empty. */
  readonly fallback: readonly PlannedFallback[];
  readonly purpose?: string;
  readonly checkpoint?: string;
  readonly repeat?: PlannedRepeat;
  /** Of a task that decides: what its answer's `choice` is one of. */
  readonly choices?: readonly string[];
  /** Of a task or an effect. */
  readonly queue?: string;
  readonly effect?: PlannedEffect;
  /** `low`, of an effect `medium`, unless the document says otherwise. */
  readonly risk: Risk;
  readonly wait?: PlannedWait;
  readonly review?: PlannedReview;
  /** Reviews that authorise this step: it starts only with an approval of exactly what then runs. */
  readonly guardedBy: readonly string[];
  readonly emit?: { readonly type: string; readonly key?: Template; readonly data: Template };
  /** Steps that any expression of this one reads: their outputs must be at hand before it is evaluated. */
  readonly stepRefs: readonly string[];
  /** Where its work holds references to callbacks, which become tokens in the task alone. */
  readonly callbackUses: readonly CallbackUse[];
}

/** One text of a step's work that names callbacks. */
export interface CallbackUse {
  readonly part: 'input' | 'params';
  /** JSON pointer into that part. */
  readonly pointer: string;
  readonly callbacks: readonly { readonly wait: string; readonly name: string }[];
}

/** Another queue for a step's work, or the same with other params (C-FALLBACK). */
export interface PlannedFallback {
  readonly queue: string;
  /** Absent: the step's own. */
  readonly params?: Template;
}

/** A step that changes the world outside (C-EFFECT). */
export interface PlannedEffect {
  /** Equal over attempts and branches: what the target de-duplicates by. Evaluates to a text of 1 to 256 characters without controls. */
  readonly key: Template;
  /** JSON pointers into the input that carry the meaning, which the fingerprint covers; `null`: the whole input. */
  readonly fields: readonly string[] | null;
  /**
   * What may follow an unknown outcome. `none`: a person decides. `reconcile`: queue `reconcile` is asked what happened, and nothing goes
   * again before it has answered. `idempotent`: the target de-duplicates, the same key may go again.
   */
  readonly guarantee: Guarantee;
  /** Who finds out whether it happened: by itself after an unknown outcome of guarantee `reconcile`, of any when a person asks. */
  readonly reconcile?: string;
  /** Who undoes it. */
  readonly compensate?: string;
  /** What a shadow branch goes on with where nothing is confirmed; absent: it stops there. */
  readonly stub?: Template;
}

export type Guarantee = 'none' | 'reconcile' | 'idempotent';

export interface PlannedRepeat {
  /** Sees `output` (of the turn that ended) and `turn` (its number, from 1). */
  readonly until: Expression;
  readonly max: number;
  readonly pauseMs: number;
}

export interface PlannedWait {
  readonly mode: 'any' | 'all' | 'atLeast';
  /** How many triggers must have come: 1, all of them, or what `atLeast` says. */
  readonly k: number;
  readonly triggers: readonly PlannedTrigger[];
  readonly deadline: { readonly kind: 'after'; readonly ms: number } | { readonly kind: 'at'; readonly at: Template } | null;
  readonly noDeadline?: { readonly because: string };
  readonly onDeadline: OnDeadline | null;
  readonly staleAfterMs: number | null;
  /** The side review that is asked for when it has become stale. */
  readonly staleReview?: string;
  readonly guard?: Expression;
  /** How far back a kept event may lie: since the run started, not at all, or so many milliseconds. */
  readonly lookBack: 'run' | 'none' | number;
  readonly keepOpen: boolean;
}

/** People decide whether the run goes on (C-REVIEW). */
export interface PlannedReview {
  readonly queue: string;
  /** Evaluates to its text. */
  readonly question: Template;
  /** What is offered in this release, and what follows. */
  readonly verdicts: readonly { readonly verdict: Verdict; readonly then: VerdictOutcome }[];
  readonly authorises: readonly string[];
  readonly editable: readonly string[];
  readonly candidates: readonly string[];
  readonly quorum: { readonly of: number; readonly notSameAs: readonly string[] };
  /** 0 where none was said, which is refused. */
  readonly deadlineMs: number;
  readonly onDeadline: 'escalate' | 'stop' | 'block' | `step:${string}`;
  readonly escalate: readonly { readonly to: string; readonly afterMs: number }[];
  readonly receiptTtlMs: number;
  /** Evaluates to a list. */
  readonly evidence: Template;
}

export type PlannedTrigger =
  | {
      readonly kind: 'event';
      readonly type: string;
      readonly key?: Template;
      readonly where?: string;
      readonly from?: readonly string[];
      readonly keepMs: number;
      readonly mayResume?: readonly string[];
    }
  | { readonly kind: 'signal'; readonly name: string; readonly mayResume?: readonly string[] }
  | {
      readonly kind: 'callback';
      readonly name: string;
      /** What is wrong with what was sent. Pointers are relative to it. */
      validate(data: Json): FieldError[];
    }
  | { readonly kind: 'timer'; readonly afterMs?: number; readonly at?: Template };

export interface StartTrigger {
  readonly type: string;
  readonly key?: Template;
  readonly where?: Expression;
  readonly input: Template;
  readonly keepMs: number;
  readonly duplicates: Duplicates;
}
