/** What is declared for a step once its tries are exhausted (`capabilities.md` §3.1-§3.2), in the order in which it is taken. */
export interface DeclaredWays {
  /** The step's own queue. */
  readonly queue: string;
  /** The alternatives of the step; `params`: with params of its own. */
  readonly fallback: readonly { readonly queue: string; readonly params: boolean }[];
  /** Reduced paths of the workflow, with the ids of the steps that each of them drops. */
  readonly reduced: readonly { readonly id: string; readonly drops: readonly string[] }[];
}

/** What of it the run has taken. */
export interface TakenWays {
  /** Alternatives of the step are taken in order: so many of them. */
  readonly fallback: number;
  /** Ids of reduced paths. */
  readonly reduced: readonly string[];
}

/** Ways that are left. Each is taken at most once, and so they end. */
export interface WaysOn {
  /** `expects`: what is different there, in words. */
  readonly fallback: readonly { readonly index: number; readonly expects: string }[];
  readonly reduced: readonly { readonly id: string; readonly drops: readonly string[] }[];
}

export const NO_WAYS: WaysOn = { fallback: [], reduced: [] };

/** Of the alternatives those behind the last that was taken, of the reduced paths those that drop the step and were not taken. */
export function waysLeft(step: string, { queue, fallback, reduced }: DeclaredWays, taken: TakenWays): WaysOn {
  const expects = (one: DeclaredWays['fallback'][number]): string =>
    `${one.queue === queue ? 'changed_input' : 'another_handler'}: queue ${one.queue}${one.params ? ', other params' : ''}`;
  return {
    fallback: fallback.map((one, index) => ({ index, expects: expects(one) })).slice(taken.fallback),
    reduced: reduced.filter(({ id, drops }) => drops.includes(step) && !taken.reduced.includes(id)),
  };
}
