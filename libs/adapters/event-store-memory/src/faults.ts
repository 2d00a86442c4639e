import type { StoredEvent, StreamName } from '@cairn/kernel';

/** What becomes of one append instead of being stored and answered. */
export type AppendFault =
  /** `store_unavailable`; nothing is stored. */
  | { readonly kind: 'fails' }
  /** Stored (or refused) as usual, then `append_unknown`: the answer was lost. */
  | { readonly kind: 'stored_then_unknown' }
  /** `append_unknown` although nothing is stored. */
  | { readonly kind: 'lost_then_unknown' }
  /** `append_unknown` at once; stored when `defer` calls back, unless another append stands there by then. */
  | { readonly kind: 'stored_later'; readonly defer: (store: () => void) => void };

/** What becomes of one batch of a tail. */
export type TailFault =
  /** Nothing is delivered before the promise resolves. */
  | { readonly kind: 'lags'; readonly until: Promise<void> }
  /** Up to so many events that this tail had before come again, in order, before the new ones. */
  | { readonly kind: 'repeats'; readonly events: number }
  /** The subscription ends when so many of these events were delivered; the adapter goes on after them with a new one. */
  | { readonly kind: 'drops'; readonly delivered: number; readonly until: Promise<void> }
  /** The tail ends with `store_unavailable` in `onFault`. */
  | { readonly kind: 'ends' };

/** Asked before each operation; `undefined` lets it pass. What they answer is all that makes this store misbehave. */
export interface StoreFaults {
  append?(stream: StreamName, events: readonly StoredEvent[]): AppendFault | undefined;
  /** True: this read throws `store_unavailable`. */
  read?(stream: StreamName): boolean;
  tail?(): TailFault | undefined;
}
