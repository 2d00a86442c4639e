import type { Id } from '@cairn/kernel';

/** How often a process that folds anew says that it is still at it… */
export const REBUILD_BEAT_MS = 1_000;
/** …and after so long without a word from it nobody counts on it any more. */
export const REBUILD_PATIENCE_MS = 10 * REBUILD_BEAT_MS;

/** One fold that was made anew (C-TRUTH): a read model, a working set, what is remembered of runs. The wire's own `FoldReport` (application). */
export interface FoldView {
  readonly service: string;
  /** Which process of the service: each replica folds for itself. */
  readonly process: Id;
  readonly fold: string;
  /** Events folded from the first one on. */
  readonly events: number;
  readonly seconds: number;
  /** sha256 of the fold's canonical lines, of the live one and of the one made anew, at the same position of the store; '' where there was a problem. */
  readonly before: string;
  readonly after: string;
  readonly equal: boolean;
  /** Some of what differs: `- ` what the live fold had, `+ ` what the history says. */
  readonly differences: readonly string[];
  /** Why nothing could be compared. */
  readonly problem?: string;
}

/** Asked of every process of the stack at once, on `lineSubjects.rebuild`. */
export interface RebuildQuestion {
  /** Names this asking in all that is said of it. */
  readonly asked: Id;
}

/** What a process says about it, on `lineSubjects.rebuilt`: that it is at it, again and again, and then how it went. */
export interface RebuildWord extends RebuildQuestion {
  readonly service: string;
  readonly process: Id;
  /** Present when it is done. */
  readonly folds?: readonly FoldView[];
}

/** A line of what `POST doctor:rebuild` answers (NDJSON): each fold when it is known, and `end` last. */
export type RebuildLine =
  | ({ readonly kind: 'fold' } & FoldView)
  | {
      readonly kind: 'end';
      readonly equal: boolean;
      /** Services, or replicas of them, that did not answer or fell silent. */
      readonly unreached: readonly string[];
    };
