import type { z } from 'zod';
import type { Json, JsonObject } from '@cairn/kernel';
import type { Duplicates, OnDeadline } from '@cairn/domain-definition';

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
  readonly output?: SchemaOf;
  readonly retry?: string;
  readonly timeout?: Duration;
  readonly lease?: Duration;
  readonly checkpoint?: string;
}

export interface TaskFields extends StepFields {
  readonly queue: string;
  readonly repeat?: { readonly until: string; readonly max: number; readonly pause?: Duration };
}

export interface EmitFields extends StepFields {
  readonly type: string;
  readonly key?: string;
  readonly data?: Value;
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
  readonly guard?: string;
  readonly lookBack?: 'run' | 'none' | Duration;
  readonly keepOpen?: boolean;
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
