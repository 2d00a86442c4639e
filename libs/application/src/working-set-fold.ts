import type { StoredEvent } from '@cairn/kernel';

/** What a working set is of: a mutable index that belongs to one service, and how it follows from the history. */
export interface WorkingSetFold {
  /** Unique among the services that share a store. Names the bookmark and the artifact. */
  readonly name: string;
  /** The events that are folded; no other reaches it. */
  readonly types: readonly string[];
  /** Raised when the same events give another index: an older checkpoint is then worth nothing. */
  readonly foldVersion: number;
  /**
   * Takes one event in. Events come in commit order and may come again with all that followed them, so folding a suffix twice must
   * end where folding it once ends.
   */
  fold(event: StoredEvent): void;
  /** Forgets everything. */
  reset(): void;
  /**
   * The whole index in canonical lines (`canonicalLines`): the same events give the same lines, whether they were folded live, from the
   * first on, or behind a checkpoint (C-TRUTH). What a process knows beyond the history is no part of it.
   */
  lines(): readonly string[];
  /** Back from lines, joined by line feeds. What it throws counts as "no such checkpoint". */
  deserialize(text: string): void;
  /** An empty one of the same kind. */
  fresh(): WorkingSetFold;
}
