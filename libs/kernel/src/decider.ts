/** What a decider answers. A rejection is data, not an exception; `nothing` says why nothing happened and goes into the receipt. */
export type Decision<E, R> =
  | { readonly kind: 'accepted'; readonly events: readonly E[] }
  | { readonly kind: 'nothing'; readonly because: Because }
  | { readonly kind: 'rejected'; readonly rejection: R };

/** Why a command changed nothing: it was there before, came too late, too early, or matched nothing. */
export type Because = 'duplicate' | 'late' | 'early' | 'no_match' | 'unchanged';

/** A domain's "no": `code` is noun first in snake_case, HTTP shows it in kebab-case; further fields are its data. */
export interface Rejection<C extends string = string> {
  readonly code: C;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** What is wrong with one field: a JSON pointer, the rule that it breaks and a sentence. */
export interface FieldError {
  readonly pointer: string;
  readonly rule: string;
  readonly says: string;
}

/** Pure: no clock, randomness, promise or I/O. What a decision needs arrives in the state or the command. */
export interface Decider<C, S, E, R> {
  readonly initial: S;
  readonly decide: (state: S, command: C) => Decision<E, R>;
  readonly evolve: (state: S, event: E) => S;
  readonly isTerminal: (state: S) => boolean;
}

export const accepted = <E>(events: readonly E[]): Decision<E, never> => ({ kind: 'accepted', events });
export const nothing = (because: Because): Decision<never, never> => ({ kind: 'nothing', because });
export const rejected = <R>(rejection: R): Decision<never, R> => ({ kind: 'rejected', rejection });
