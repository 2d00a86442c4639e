import type { Plan } from '@cairn/domain-definition';
import {
  decodeRunEvents,
  deserializeState,
  foldRun,
  initialState,
  serializeState,
  SNAPSHOT_VERSION,
  stateDigest,
  type RunState,
} from '@cairn/domain-run';
import { runStream, type Id, type StoredEvent } from '@cairn/kernel';
import type { EventStore, Metrics, NamedArtifacts } from '@cairn/ports';
import type { Documents } from './documents.js';

/** What a driver knows of a branch: its state, where the next append goes, and the plan it follows. */
export interface LoadedRun {
  readonly state: RunState;
  /** Hash of the last event, '' before the first. */
  readonly lastHash: string;
  readonly plan: Plan | undefined;
}

/** A branch's state and the hash of the last event in it. */
export type Snapshot = Pick<LoadedRun, 'state' | 'lastHash'>;

/** A snapshot is taken when so many events were folded since the last one… */
const SNAPSHOT_EVENTS = 500;
/** …and they are at least this share of the branch, so that snapshots of a long branch cost a constant share of its appends. */
const SNAPSHOT_SHARE = 0.2;

/**
 * Reads branches back: from the newest snapshot, if there is one, and the events behind it. Snapshots are a cache, never the truth: each
 * is of the state right before a `CheckpointReached`, whose digest proves it, and what is not proven is not used (C-TRUTH).
 */
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
    const snapshot = await this.snapshotOf(runId, branch);
    const behind = snapshot === undefined ? [] : await this.store.read(stream, snapshot.state.revision + 1);
    if (snapshot !== undefined && proves(behind[0], snapshot)) {
      this.snapshots.set(runId, snapshot.state.revision);
      return this.withPlan(foldRun(snapshot.state, decodeRunEvents(behind)), behind.at(-1)?.metadata.hash ?? snapshot.lastHash);
    }
    if (snapshot !== undefined) this.metrics.count('cairn_snapshot_refused_total'); // Of another store, or not what the history says.
    const whole = await this.store.read(stream);
    return this.withPlan(foldRun(initialState(runId, branch), decodeRunEvents(whole)), whole.at(-1)?.metadata.hash ?? '');
  }

  /**
   * Puts a snapshot away if one is due, of the state right before the last checkpoint of `events`, which led from `before` to `after`.
   * Failing costs the next cold start some folding.
   */
  snapshotIfDue(before: LoadedRun, after: LoadedRun, events: readonly StoredEvent[]): void {
    const { runId, revision } = after.state;
    const since = revision - (this.snapshots.get(runId) ?? -1);
    if (since < SNAPSHOT_EVENTS || since < revision * SNAPSHOT_SHARE) return;
    const at = events.findLastIndex(({ type }) => type === 'CheckpointReached');
    if (at < 0) return;
    const state = foldRun(before.state, decodeRunEvents(events.slice(0, at)));
    this.snapshots.set(runId, state.revision);
    void this.putAway({ state, lastHash: events[at]?.metadata.prevHash ?? '' }).catch(() =>
      this.metrics.count('cairn_snapshot_faults_total'),
    );
  }

  /** The run has ended or left the cache. */
  forget(runId: Id): void {
    this.snapshots.delete(runId);
  }

  private async withPlan(state: RunState, lastHash: string): Promise<LoadedRun> {
    const plan = state.started === null ? undefined : await this.documents.planFor(state.started.ns, state.started.definition);
    return { state, lastHash, plan };
  }

  /** Runs of which this process has put a snapshot away, or used one. */
  withSnapshot(): Iterable<Id> {
    return this.snapshots.keys();
  }

  /** In the place of the run's snapshot, if there is one. */
  async putAway({ state, lastHash }: Snapshot): Promise<void> {
    const artifact = await this.disposables.put(new TextEncoder().encode(JSON.stringify({ lastHash, state: serializeState(state) })));
    await this.disposables.setName(snapshotName(state.runId, state.branch), artifact);
  }

  /** As it was put away, unproven. */
  async snapshotOf(runId: Id, branch = 'main'): Promise<Snapshot | undefined> {
    const artifact = await this.disposables.getName(snapshotName(runId, branch));
    if (artifact === undefined) return undefined;
    try {
      const bytes = await this.disposables.get(artifact);
      if (bytes === undefined) return undefined;
      const { lastHash, state } = JSON.parse(new TextDecoder().decode(bytes)) as { lastHash: string; state: string };
      return { state: deserializeState(state), lastHash };
    } catch {
      return undefined; // Corrupt or of another version: disposable.
    }
  }
}

/** Whether the event behind a snapshot is the checkpoint that it was taken for, and gives the same state. */
function proves(event: StoredEvent | undefined, { state, lastHash }: Snapshot): boolean {
  if (event?.type !== 'CheckpointReached' || event.metadata.prevHash !== lastHash) return false;
  return event.data['stateDigest'] === stateDigest(state);
}

const snapshotName = (runId: Id, branch: string): string => `snapshot/${SNAPSHOT_VERSION}/${runId}+${branch}`;
