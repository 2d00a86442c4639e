import { decodeRunEvents, headOf, Lineage, type Branches, type RunState } from '@cairn/domain-run';
import type { Id, Revision, StoredEvent } from '@cairn/kernel';
import { refuse } from '../edge/refused.js';
import type { RunRow } from '../readmodels/run-row.js';

/** A run with the events of all its branches, in the order in which they were announced: what was announced and not opened has none. */
export class WholeRun {
  private folded: { readonly branches: Branches; readonly lineage: Lineage } | undefined;

  constructor(
    readonly row: RunRow,
    readonly branches: ReadonlyMap<string, readonly StoredEvent[]>,
  ) {}

  get run(): Id {
    return this.row.run;
  }

  /** Everything that ever happened to the run. */
  get events(): readonly StoredEvent[] {
    return [...this.branches.values()].flat();
  }

  /** The branch that may act. */
  get head(): string {
    return headOf(this.decoded.branches);
  }

  /** The run as it is: the head's state; between the two appends that make a head, that of the branch which announced it. */
  get state(): RunState {
    const { head } = this;
    if (this.eventsOf(head).length > 0) return this.lineage.at(head);
    return this.lineage.at([...this.branches].findLast(([, events]) => events.length > 0)?.[0] ?? head);
  }

  /** Their readable events. */
  get decodedBranches(): Branches {
    return this.decoded.branches;
  }

  get lineage(): Lineage {
    return this.decoded.lineage;
  }

  /** The events of a branch. Refuses `branch_not_found`. */
  eventsOf(branch: string): readonly StoredEvent[] {
    return this.branches.get(branch) ?? noBranch(branch, [...this.branches.keys()]);
  }

  /** The state at a place. Refuses `branch_not_found` and `revision_not_found`. */
  stateAt(branch: string, revision: Revision): RunState {
    const last = this.eventsOf(branch).length - 1;
    if (last < 0) refuse('revision_not_found', `Branch ${branch} is announced and not opened yet: it has no revision.`);
    if (revision > last) refuse('revision_not_found', `Branch ${branch} has no revision ${revision}: its last one is ${branch}@${last}.`);
    return this.lineage.at(branch, revision);
  }

  private get decoded(): { readonly branches: Branches; readonly lineage: Lineage } {
    if (this.folded === undefined) {
      const branches = new Map([...this.branches].map(([name, events]) => [name, decodeRunEvents(events)]));
      this.folded = { branches, lineage: new Lineage(this.run, branches) };
    }
    return this.folded;
  }
}

export const noBranch = (branch: string, there: readonly string[]): never =>
  refuse('branch_not_found', `The run has no branch ${branch}: it has ${there.join(', ')}.`);
