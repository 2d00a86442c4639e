import type { Id, Revision } from '@cairn/kernel';
import { invariant } from '@cairn/kernel';
import type { RecordedRunEvent } from '../events.js';
import { foldRun } from '../evolve.js';
import { initialState, type RunState } from '../state.js';
import { beginningOf } from './begin.js';

/** The readable events of each branch, by name: whole streams from revision 0. */
export type Branches = ReadonlyMap<string, readonly RecordedRunEvent[]>;

/**
 * A run's branches, folded: each from where it grew and from the head that it follows. Remembers what it has folded, so that a chain of
 * branches costs each of its events once or twice, however long it is.
 */
export class Lineage {
  private readonly known = new Map<string, RunState>();

  constructor(
    private readonly runId: Id,
    private readonly branches: Branches,
  ) {}

  /** The state of a branch at a revision, inclusive; without one at its end. Throws if the branch hangs in the air. */
  at(branch: string, revision: Revision = Number.POSITIVE_INFINITY): RunState {
    return this.fold(branch, Math.min(revision, (this.branches.get(branch)?.length ?? 0) - 1), new Set());
  }

  /** What a branch is before its first event. */
  before(branch: string): RunState {
    return this.fold(branch, -1, new Set());
  }

  private fold(branch: string, revision: Revision, above: ReadonlySet<string>): RunState {
    const key = `${branch}@${revision}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const events = this.branches.get(branch) ?? [];
    const state = revision < 0 ? this.begin(branch, above) : foldRun(this.nearest(branch, revision, above), this.rest(branch, revision));
    invariant(revision < events.length, `branch ${branch} has no revision ${revision}`);
    this.known.set(key, state);
    return state;
  }

  /** The newest state of the branch that is known at or before a revision; else its beginning. */
  private nearest(branch: string, revision: Revision, above: ReadonlySet<string>): RunState {
    return this.newestKnown(branch, revision) ?? this.fold(branch, -1, above);
  }

  private newestKnown(branch: string, revision: Revision): RunState | undefined {
    let newest: RunState | undefined;
    for (const state of this.known.values()) {
      if (state.branch !== branch || state.revision > revision) continue;
      if (newest === undefined || state.revision > newest.revision) newest = state;
    }
    return newest;
  }

  private rest(branch: string, revision: Revision): readonly RecordedRunEvent[] {
    return (this.branches.get(branch) ?? []).slice((this.newestKnown(branch, revision)?.revision ?? -1) + 1, revision + 1);
  }

  private begin(branch: string, above: ReadonlySet<string>): RunState {
    if (branch === 'main') return initialState(this.runId);
    invariant(!above.has(branch), `branch ${branch} grows from itself`);
    const [opened] = this.branches.get(branch) ?? [];
    invariant(opened?.type === 'BranchOpened', `branch ${branch} does not begin with BranchOpened`);
    const { parent, predecessor } = opened.data;
    const below = new Set([...above, branch]);
    return beginningOf(
      branch,
      this.fold(parent.branch, parent.revision, below),
      this.fold(predecessor.branch, predecessor.revision, below),
    );
  }
}

/** The branch that may act: `main`, or whatever it was followed by. */
export function headOf(branches: Branches): string {
  let head = 'main';
  for (const seen = new Set<string>(); !seen.has(head);) {
    seen.add(head);
    const last = branches.get(head)?.at(-1);
    if (last?.type === 'BranchSuperseded') head = last.data.successor;
  }
  return head;
}
