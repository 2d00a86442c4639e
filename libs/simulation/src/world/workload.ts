import type { Json } from '@cairn/kernel';

/** How a run ended, or that it did not. */
export interface RunOutcome {
  readonly state: string;
  /** Of an end: `succeeded`, `failed`, `gave_up`. */
  readonly sub: string | null;
  readonly output: Json;
}

/** An event that a run waits for. */
export interface PlannedEvent {
  readonly kind: 'event' | 'signal';
  /** Event type or signal name. */
  readonly name: string;
  readonly data: Json;
}

/** By step: the options that people may choose of its reviews. A review of another step is nobody's. */
export type Answers = Readonly<Record<string, readonly string[] | undefined>>;

/** A definition, what happens to its runs from outside, and what must come of it whatever goes wrong on the way. */
export interface Workload {
  readonly name: string;
  readonly document: { readonly name: string; readonly [field: string]: unknown };
  /** Started by an event of this type instead of directly. */
  readonly startedBy?: string;
  readonly events?: readonly PlannedEvent[];
  /** Policies that its steps name. */
  readonly policies?: readonly string[];
  /** Who decides what it asks; absent: nobody does. */
  readonly people?: Answers;
  /** Operators go back in it and look at shadows of it: it comes to the same end from anywhere. */
  readonly meddled?: boolean;
  /** A wait that is fired by hand, and what it then gives. */
  readonly fires?: { readonly step: string; readonly output: Json };
  /** Key of an effect that somebody undoes. */
  readonly undoes?: string;
  /** A run that this one starts by an emit. */
  readonly starts?: Workload;
  /** What is wrong with an outcome. `n` is the number in the run's input. */
  readonly expect: (outcome: RunOutcome, n: number) => string | undefined;
}

export type Step = { readonly id: string; readonly [field: string]: unknown };

export const add = (id: string, n: string, more: object = {}): Step => ({ id, task: { queue: 'work' }, input: { do: 'add', n }, ...more });
export const paper = (name = 'sim.paper'): object => ({ event: { type: name, key: '${run.key}' } });
export const wait = (id: string, what: object, more: object = {}): Step => ({
  id,
  wait: { deadline: '1h', onDeadline: { fail: 'timeout' }, ...what },
  ...more,
});
export const document = (name: string, steps: readonly Step[], value?: string): Workload['document'] => ({
  cairn: 1,
  name,
  version: '1.0.0',
  steps,
  ...(value === undefined ? {} : { output: { value } }),
});
export const event = (name: string, data: Json): PlannedEvent => ({ kind: 'event', name, data });

export const completes =
  (good: (output: Json, n: number) => boolean) =>
  ({ state, sub, output }: RunOutcome, n: number): string | undefined =>
    state === 'complete' && sub === 'succeeded' && good(output, n)
      ? undefined
      : `${state}/${String(sub)} with output ${JSON.stringify(output)}`;
export const ends =
  (wanted: string) =>
  ({ state, sub }: RunOutcome): string | undefined =>
    state === 'complete' && sub === wanted ? undefined : `${state}/${String(sub)}, not ${wanted}`;
