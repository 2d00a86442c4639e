import { runStream, type Id, type Json, type Revision, type StoredEvent } from '@cairn/kernel';
import type { ArtifactRef } from '@cairn/domain-run';
import type { Artifacts, EventStore } from '@cairn/ports';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';
import { RunRow } from '../readmodels/run-row.js';

/** The branch every run has. Others come with recovery; a run's head is among its row. */
const MAIN = 'main';

/** Reads runs from the store itself: what was acknowledged before a call is in its answer, however far the tail lags. */
export class RunReader {
  constructor(private readonly parts: { readonly store: EventStore; readonly artifacts: Artifacts; readonly models: ReadModels }) {}

  /** The run's line as of now: the folded one and whatever its stream has beyond. Refuses `run_not_found`, also for another namespace's. */
  async row(ns: string, run: Id): Promise<RunRow> {
    const folded = this.parts.models.row(run);
    const newer = await this.parts.store.read(runStream(run, folded?.head ?? MAIN), (folded?.revision ?? -1) + 1);
    const row = newer.length === 0 && folded !== undefined ? folded : (folded?.copy() ?? new RunRow(run));
    if (row !== folded) for (const event of newer) row.apply(event);
    if (row.revision < 0 || row.ns !== ns) refuse('run_not_found', 'There is no such run in this namespace.');
    return row;
  }

  /** The line as it was folded last: may lag behind the store. */
  folded(run: Id): RunRow | undefined {
    return this.parts.models.row(run);
  }

  /** The event that ended a run: of late from memory, else from the store. */
  async endOf(row: RunRow, endRevision: Revision): Promise<StoredEvent | undefined> {
    const known = this.parts.models.endOf(row.run);
    if (known !== undefined) return known;
    const [end] = await this.parts.store.read(runStream(row.run, row.head), endRevision, endRevision);
    return end;
  }

  /** Events of a branch from `from` to `to` inclusive. Refuses `run_not_found` and `branch_not_found`. */
  async events(
    ns: string,
    run: Id,
    branch: string | undefined,
    from: Revision,
    to?: Revision,
  ): Promise<{ readonly branch: string; readonly events: readonly StoredEvent[] }> {
    const row = await this.row(ns, run);
    const named = branch ?? row.head;
    const events = await this.parts.store.read(runStream(run, named), from, to);
    if (events.length === 0 && named !== MAIN && named !== row.head) refuse('branch_not_found', 'The run has no such branch.');
    return { branch: named, events };
  }

  /** A stored value, fetched if it is held by reference. */
  async value(data: { readonly output?: Json; readonly outputRef?: ArtifactRef }): Promise<Json> {
    if (data.outputRef === undefined) return data.output ?? null;
    const bytes = await this.parts.artifacts.get(data.outputRef.artifact.replace(/^sha256:/, ''));
    return bytes === undefined ? { ...data.outputRef } : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Json);
  }
}
