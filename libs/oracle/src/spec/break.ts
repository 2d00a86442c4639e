import type { Invariant, RunHistory } from '../history.js';
import type { Draft } from './editing.js';

/** One way to break a good history. */
export interface Break {
  readonly invariant: Invariant;
  readonly by: string;
  /** The good history that is broken; default `goodHistory`. */
  readonly good?: () => RunHistory;
  /** Edits what the run did; it is then sealed properly, so nothing but the edit is wrong. */
  readonly edit?: (drafts: Draft[]) => unknown;
  /** Edits what is stored, after that. */
  readonly change?: (history: RunHistory) => RunHistory;
}
