import type { Plan } from '@cairn/domain-definition';
import {
  decodeRunEvents,
  deserializeState,
  foldRun,
  initialState,
  serializeState,
  SNAPSHOT_VERSION,
  type RunState,
} from '@cairn/domain-run';
import { runStream, type Id } from '@cairn/kernel';
import type { EventStore, Metrics, NamedArtifacts } from '@cairn/ports';
import type { Documents } from './documents.js';

/** What a driver knows of a branch: its state, where the next append goes, and the plan it follows. */
export interface LoadedRun {
  readonly state: RunState;
  /** Hash of the last event, '' before the first. */
  readonly lastHash: string;
  readonly plan: Plan | undefined;
}

/** A snapshot is taken when so many events were folded since the last one… */
const SNAPSHOT_EVENTS = 500;
/** …and they are at least this share of the branch, so that snapshots of a long branch cost a constant share of its appends. */
const SNAPSHOT_SHARE = 0.2;

/** Reads branches back: from the newest snapshot, if there is one, and the events behind it. Snapshots are a cache, never the truth. */
export class RunLoader {
  private readonly snapshots = new Map<Id, number>();

  constructor(
    private readonly store: EventStore,
    private readonly disposables: NamedArtifacts,
    private readonly documents: Documents,
    private readonly metrics: Metrics,
  ) {}

  /** The branch as it stands in the store. Throws `StoreFault`, `UnreadableEvent`. */
  async load(runId: Id, branch = 'main'): Promise<LoadedRun> {
    const stream = runStream(runId, branch);
    const snapshot = await this.readSnapshot(runId, branch);
    const from = snapshot === undefined ? 0 : snapshot.state.revision + 1;
    const stored = await this.store.read(stream, from);
    if (snapshot !== undefined && stored.length === 0 && (await this.store.read(stream, from - 1, from - 1)).length === 0) {
      return this.withPlan(initialState(runId, branch), ''); // The store is another one than the snapshot's.
    }
    const first = stored[0];
    if (snapshot !== undefined && first !== undefined && first.metadata.prevHash !== snapshot.lastHash) {
      this.snapshots.delete(runId);
      const whole = await this.store.read(stream);
      return this.withPlan(foldRun(initialState(runId, branch), decodeRunEvents(whole)), whole.at(-1)?.metadata.hash ?? '');
    }
    const state = foldRun(snapshot?.state ?? initialState(runId, branch), decodeRunEvents(stored));
    return this.withPlan(state, stored.at(-1)?.metadata.hash ?? snapshot?.lastHash ?? '');
  }

  /** Puts a snapshot away if one is due. Failing costs the next cold start some folding. */
  snapshotIfDue(run: LoadedRun): void {
    const { state } = run;
    const since = state.revision - (this.snapshots.get(state.runId) ?? -1);
    if (since < SNAPSHOT_EVENTS || since < state.revision * SNAPSHOT_SHARE) return;
    this.snapshots.set(state.runId, state.revision);
    void this.write(run).catch(() => this.metrics.count('cairn_snapshot_faults_total'));
  }

  /** The run has ended or left the cache. */
  forget(runId: Id): void {
    this.snapshots.delete(runId);
  }

  private async withPlan(state: RunState, lastHash: string): Promise<LoadedRun> {
    const plan = state.started === null ? undefined : await this.documents.planFor(state.started.ns, state.started.definition);
    return { state, lastHash, plan };
  }

  private async write({ state, lastHash }: LoadedRun): Promise<void> {
    const artifact = await this.disposables.put(new TextEncoder().encode(JSON.stringify({ lastHash, state: serializeState(state) })));
    await this.disposables.setName(snapshotName(state.runId, state.branch), artifact);
  }

  private async readSnapshot(runId: Id, branch: string): Promise<{ state: RunState; lastHash: string } | undefined> {
    const artifact = await this.disposables.getName(snapshotName(runId, branch));
    if (artifact === undefined) return undefined;
    try {
      const bytes = await this.disposables.get(artifact);
      if (bytes === undefined) return undefined;
      const { lastHash, state } = JSON.parse(new TextDecoder().decode(bytes)) as { lastHash: string; state: string };
      const read = deserializeState(state);
      this.snapshots.set(runId, read.revision);
      return { state: read, lastHash };
    } catch {
      return undefined; // Corrupt or of another version: disposable.
    }
  }
}

const snapshotName = (runId: Id, branch: string): string => `snapshot/${SNAPSHOT_VERSION}/${runId}+${branch}`;
