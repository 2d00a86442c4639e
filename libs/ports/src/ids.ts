import type { Id } from '@cairn/kernel';

/** Fresh ids for what has no natural name: commands, sessions, minted event ids. Unique, unguessable. */
export interface Ids {
  next(): Id;
}
