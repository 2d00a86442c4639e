import type { Json } from '@cairn/kernel';

/** A CEL condition, parsed and within our limits. Pure: equal scope, equal answer. */
export interface Expression {
  readonly source: string;
  /** Ids of the steps that it reads. */
  readonly stepRefs: readonly string[];
  /** An error is a value with a short sentence; nothing is thrown. A result that is not a bool is an error. */
  evaluate(scope: Scope): Evaluated<boolean>;
}

/** JSON whose strings may hold `${CEL}`. A string that is one `${…}` keeps the value's type, others are joined to text. */
export interface Template {
  readonly stepRefs: readonly string[];
  /** Holds no expression: `evaluate` always gives the same value, at no cost. */
  readonly constant: boolean;
  /** At most 64 KiB, else an error. */
  evaluate(scope: Scope): Evaluated<Json>;
}

export type Evaluated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** What expressions may see: recorded facts, no clock, no randomness. A root that is absent cannot be read. */
export interface Scope {
  readonly run?: Json | { readonly [key: string]: unknown };
  readonly branch?: Json | { readonly [key: string]: unknown };
  readonly input?: Json;
  readonly steps?: { readonly [id: string]: StepScope };
  /** By wait and name: what stands for a callback's token in the history. */
  readonly callbacks?: Json;
  /** CloudEvents attributes and `data` of the event at hand. */
  readonly event?: Json;
  /** Of the step at hand: in `until`. */
  readonly output?: Json;
  readonly failure?: Json;
  /** In `until`: how many turns have ended. */
  readonly turn?: number;
}

export interface StepScope {
  readonly status: string;
  readonly output: Json;
  readonly attempts: number;
}

export type Root = keyof Scope;
