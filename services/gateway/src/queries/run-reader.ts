import { parseRunStream, runStream, type Id, type Json, type Revision, type StoredEvent } from '@cairn/kernel';
import type { ArtifactRef } from '@cairn/domain-run';
import { readBranches, type Artifacts, type EventStore } from '@cairn/ports';
import type { ImportedRuns } from '../bundles/imported-runs.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';
import { RunRow } from '../readmodels/run-row.js';
import { WholeRun } from './whole-run.js';

/** Reads runs from the store itself: what was acknowledged before a call is in its answer, however far the tail lags. */
export class RunReader {
  constructor(
    private readonly parts: {
      readonly store: EventStore;
      readonly artifacts: Artifacts;
      readonly models: ReadModels;
      readonly imported: ImportedRuns;
    },
  ) {}

  /**
   * The run's line as of now: the folded one and whatever its stream has beyond; where the store has no such run, that of an imported one.
   * Refuses `run_not_found`, also for another namespace's.
   */
  async row(ns: string, run: Id): Promise<RunRow> {
    const known = this.parts.models.row(run);
    const folded = known?.imported === undefined ? known : undefined;
    const row = await this.caughtUp(run, folded);
    const started = row.startedAt !== '';
    if (started && row.ns === ns) return row;
    const imported = started ? undefined : await this.parts.imported.find(ns, run);
    return imported === undefined ? refuse('run_not_found', 'There is no such run in this namespace.') : RunRow.ofImport(imported);
  }

  /** The folded line and what the streams have beyond it, from branch to branch as far as the run has gone on. */
  private async caughtUp(run: Id, folded: RunRow | undefined): Promise<RunRow> {
    let row = folded ?? new RunRow(run);
    for (let head: string | undefined; head !== row.head;) {
      ({ head } = row);
      const newer = await this.parts.store.read(runStream(run, head), row.revision + 1);
      if (newer.length > 0 && row === folded) row = folded.copy();
      for (const event of newer) row.apply(event);
    }
    return row;
  }

  /** The line of a run that something is to happen to: refuses `run_imported`, too. */
  async ownRow(ns: string, run: Id): Promise<RunRow> {
    const row = await this.row(ns, run);
    if (row.imported !== undefined)
      refuse('run_imported', 'The run was imported from another store: it is shown here, and acts on nothing.');
    return row;
  }

  /** The line as it was folded last: may lag behind the store. */
  folded(run: Id): RunRow | undefined {
    return this.parts.models.row(run);
  }

  /** The event that ended a run: of late from memory, else from the store. */
  async endOf(row: RunRow, endRevision: Revision): Promise<StoredEvent | undefined> {
    const known = this.parts.models.endOf(row.run);
    if (known?.stream === runStream(row.run, row.head) && known.revision === endRevision) return known;
    const [end] = await this.read(row, row.head, endRevision, endRevision);
    return end;
  }

  /** The run with the events of all its branches. Refuses `run_not_found`. */
  async whole(ns: string, run: Id): Promise<WholeRun> {
    return this.wholeOf(await this.row(ns, run));
  }

  /** The events of all branches of that run. */
  async wholeOf(row: RunRow): Promise<WholeRun> {
    return new WholeRun(row, await this.streamsOf(row));
  }

  /** Names of its branches, in the order in which they were announced. */
  async branchesOf(row: RunRow): Promise<readonly string[]> {
    return row.imported === undefined ? row.branches : [...(await this.streamsOf(row)).keys()];
  }

  private async streamsOf({ run, imported }: RunRow): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
    if (imported === undefined) return readBranches(this.parts.store, run);
    const { branches } = await this.parts.imported.history(imported);
    // A bundle's streams stand in any order.
    const read = (stream: string): Promise<readonly StoredEvent[]> =>
      Promise.resolve(branches.get(parseRunStream(stream)?.branch ?? '') ?? []);
    return readBranches({ read }, run);
  }

  /** Events of a branch of that run: from its stream, or from the bundle that holds it. */
  async read({ run, imported }: RunRow, branch: string, from: Revision, to?: Revision): Promise<readonly StoredEvent[]> {
    if (imported === undefined) return this.parts.store.read(runStream(run, branch), from, to);
    const { branches } = await this.parts.imported.history(imported);
    return (branches.get(branch) ?? []).slice(from, to === undefined ? undefined : to + 1);
  }

  /** A stored value, fetched if it is held by reference. */
  async value(data: { readonly output?: Json; readonly outputRef?: ArtifactRef }): Promise<Json> {
    if (data.outputRef === undefined) return data.output ?? null;
    const bytes = await this.parts.artifacts.get(data.outputRef.artifact.replace(/^sha256:/, ''));
    return bytes === undefined ? { ...data.outputRef } : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Json);
  }
}
