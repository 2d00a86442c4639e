import type { RecordedRunEvent } from '@cairn/domain-run';
import { appendOf, type Branch, type EventOf } from './branch.js';
import type { Report } from './report.js';

/** A part of another branch that led to the one at hand: its events up to a revision, inclusive. */
export interface Segment {
  readonly branch: Branch;
  readonly to: number;
}

/**
 * What one check walks: the events that led to a branch, then its own. What is found in what led to it is found there, so only the branch's
 * own events are reported on.
 */
export class Walk {
  private current: Branch;

  constructor(
    readonly branch: Branch,
    private readonly before: readonly Segment[],
    private readonly target: Report,
  ) {
    this.current = branch;
  }

  readonly report: Report = (invariant, revision, says) => {
    if (this.current === this.branch) this.target(invariant, revision, says);
  };

  /** Each event in the order in which it counts for this branch; what is asked meanwhile is about the branch that it stands on. */
  *events(): IterableIterator<RecordedRunEvent> {
    for (const { branch, to } of [...this.before, { branch: this.branch, to: Number.POSITIVE_INFINITY }]) {
      this.current = branch;
      yield* to === Number.POSITIVE_INFINITY ? branch.events : branch.events.slice(0, to + 1);
    }
  }

  /** The append that an event came with: its readable events, in order. */
  appendOf(revision: number): readonly RecordedRunEvent[] {
    return appendOf(this.current, revision);
  }

  /** Whether an append begins with the event. */
  begins(revision: number): boolean {
    return this.current.stored[revision]?.metadata.appendFirst === revision;
  }

  /** The branch that the event at hand stands on. */
  get at(): Branch {
    return this.current;
  }
}

/** What leads to a branch: its own path, and the line of heads before it, whose ledger it goes on with. */
export interface Ancestry {
  readonly path: readonly Segment[];
  readonly ledger: readonly Segment[];
}

/** Throws where a branch hangs in the air or grows from itself. */
export function ancestryOf(branch: Branch, branches: ReadonlyMap<string, Branch>): Ancestry {
  return {
    path: segments(branch, branches, ({ data }) => data.parent),
    ledger: segments(branch, branches, ({ data }) => data.predecessor),
  };
}

type Point = EventOf<'BranchOpened'>['data']['parent'];

function segments(
  branch: Branch,
  branches: ReadonlyMap<string, Branch>,
  before: (opened: EventOf<'BranchOpened'>) => Point,
): readonly Segment[] {
  const found: Segment[] = [];
  const seen = new Set<string>();
  for (let [first] = branch.events; first?.type === 'BranchOpened';) {
    const point = before(first);
    const earlier = branches.get(point.branch);
    if (earlier === undefined || seen.has(point.branch))
      throw new Error(`it grows from ${point.branch}@${point.revision}, which is not there`);
    seen.add(point.branch);
    found.unshift({ branch: earlier, to: point.revision });
    [first] = earlier.events;
  }
  return found;
}
