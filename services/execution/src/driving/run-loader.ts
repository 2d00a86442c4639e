import {
  announcementOf,
  beginningOf,
  decodeRunEvents,
  derivedOpening,
  deserializeState,
  foldRun,
  initialState,
  Lineage,
  serializeState,
  SNAPSHOT_VERSION,
  stateDigest,
  type Branches,
  type BranchOpened,
  type BranchPoint,
  type RunState,
} from '@cairn/domain-run';
import { invariant, runStream, type Id, type StoredEvent } from '@cairn/kernel';
import type { Plan } from '@cairn/domain-definition';
import { FIRST_BRANCH, readBranches, StoreFault, type EventStore, type Metrics, type NamedArtifacts } from '@cairn/ports';
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
 * Reads runs back: each branch from its newest snapshot, if there is one, and the events behind it, on to the head. Snapshots are a cache,
 * never the truth: each is of the state right before a `CheckpointReached`, whose digest proves it, and what is not proven is not used
 * (C-TRUTH). A branch that was announced and never opened is opened on the way (F-54).
 */
export class RunLoader {
  /** By run, of the newest branch that has one. */
  private readonly snapshots = new Map<Id, BranchPoint>();

  constructor(
    private readonly store: EventStore,
    private readonly disposables: NamedArtifacts,
    private readonly documents: Documents,
    private readonly metrics: Metrics,
    /** For the simulation's planted bugs alone. */
    private readonly mutants: ReadonlySet<string> = new Set(),
  ) {}

  /** The head as it stands in the store. `opening`: it was announced by whoever asks. Throws `StoreFault`, `UnreadableEvent`. */
  async load(runId: Id, opening = false): Promise<LoadedRun> {
    let head = (await this.branch(runId, FIRST_BRANCH, () => Promise.resolve(initialState(runId)))) ?? unwritten(runId);
    while (head.state.superseded !== null) {
      if (this.mutants.has('M-19')) return this.withPlan({ ...head, state: { ...head.state, superseded: null } }); // The old head acts on.
      head = await this.successorOf(head, opening || !this.mutants.has('M-21'));
    }
    return this.withPlan(head);
  }

  /** A shadow as it stands in the store, opened if that was not done yet; `undefined` if the run has no shadow of that name. */
  async shadow(runId: Id, branch: string): Promise<LoadedRun | undefined> {
    const [opened] = await this.store.read(runStream(runId, branch), 0, 0);
    if (opened !== undefined) {
      const { parent, predecessor, shadow } = opened.data as unknown as BranchOpened['data'];
      if (opened.type !== 'BranchOpened' || !shadow) return undefined;
      const beginning = async (): Promise<RunState> =>
        beginningOf(branch, (await this.stateAt(runId, parent)).state, (await this.stateAt(runId, predecessor)).state);
      const found = await this.branch(runId, branch, beginning);
      return found && this.withPlan(found);
    }
    const stored = await readBranches(this.store, runId);
    const event = [...stored.values()].flat().find(({ type, data }) => type === 'ShadowOpened' && data['branch'] === branch);
    if (event === undefined) return undefined;
    const { state } = await this.stateAt(runId, { branch: String(event.metadata.branch), revision: event.revision });
    return this.withPlan(await this.open(state, event));
  }

  /** A run's branches as they are stored, and folded. */
  async lineage(runId: Id): Promise<{ readonly branches: Branches; readonly lineage: Lineage }> {
    const stored = await readBranches(this.store, runId);
    const branches = new Map([...stored].map(([name, events]) => [name, decodeRunEvents(events)]));
    return { branches, lineage: new Lineage(runId, branches) };
  }

  /** The state of a branch at a revision, folded from the beginning. */
  async stateAt(runId: Id, { branch, revision }: BranchPoint): Promise<Snapshot> {
    const stored = await readBranches(this.store, runId);
    const decoded = new Map([...stored].map(([name, events]) => [name, decodeRunEvents(events)]));
    return { state: new Lineage(runId, decoded).at(branch, revision), lastHash: stored.get(branch)?.[revision]?.metadata.hash ?? '' };
  }

  /**
   * Puts a snapshot away if one is due, of the state right before the last checkpoint of `events`, which led from `before` to `after`.
   * Failing costs the next cold start some folding.
   */
  snapshotIfDue(before: LoadedRun, after: LoadedRun, events: readonly StoredEvent[]): void {
    const { runId, branch, revision } = after.state;
    const last = this.snapshots.get(runId);
    const since = revision - (last?.branch === branch ? last.revision : -1);
    if (since < SNAPSHOT_EVENTS || since < revision * SNAPSHOT_SHARE) return;
    const at = events.findLastIndex(({ type }) => type === 'CheckpointReached');
    if (at < 0) return;
    this.takeSnapshot(foldRun(before.state, decodeRunEvents(events.slice(0, at))), events[at]);
  }

  /** The run has ended or left the cache. */
  forget(runId: Id): void {
    this.snapshots.delete(runId);
  }

  /** Branches of which this process has put a snapshot away, or used one. */
  withSnapshot(): Iterable<[runId: Id, at: BranchPoint]> {
    return this.snapshots.entries();
  }

  /** In the place of the branch's snapshot, if there is one. */
  async putAway({ state, lastHash }: Snapshot): Promise<void> {
    const artifact = await this.disposables.put(new TextEncoder().encode(JSON.stringify({ lastHash, state: serializeState(state) })));
    await this.disposables.setName(snapshotName(state.runId, state.branch), artifact);
  }

  /** As it was put away, unproven. */
  async snapshotOf(runId: Id, branch: string): Promise<Snapshot | undefined> {
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

  /** A branch as it stands in the store; `undefined` if nothing was ever written to it. `beginning` is asked where no snapshot helps. */
  private async branch(runId: Id, branch: string, beginning: () => Promise<RunState>): Promise<Snapshot | undefined> {
    const stream = runStream(runId, branch);
    const snapshot = await this.snapshotOf(runId, branch);
    const behind = snapshot === undefined ? [] : await this.store.read(stream, snapshot.state.revision + 1);
    if (snapshot !== undefined && proves(behind[0], snapshot)) {
      this.snapshots.set(runId, pointOf(snapshot.state));
      return { state: foldRun(snapshot.state, decodeRunEvents(behind)), lastHash: behind.at(-1)?.metadata.hash ?? snapshot.lastHash };
    }
    if (snapshot !== undefined) this.metrics.count('cairn_snapshot_refused_total'); // Of another store, or not what the history says.
    const whole = await this.store.read(stream);
    const last = whole.at(-1);
    if (last === undefined) return undefined;
    return { state: foldRun(await beginning(), decodeRunEvents(whole)), lastHash: last.metadata.hash };
  }

  /** Where the run goes on: opened first if nobody has done that yet. */
  private async successorOf({ state: predecessor }: Snapshot, opens: boolean): Promise<Snapshot> {
    const { runId, superseded } = predecessor;
    invariant(superseded !== null, 'a branch that is over has a successor');
    const { successor } = superseded;
    const beginning = async (): Promise<RunState> =>
      beginningOf(successor, (await this.stateAt(runId, superseded.spec.parent)).state, predecessor);
    const opened = await this.branch(runId, successor, beginning);
    if (opened !== undefined) return opened;
    if (!opens) throw new StoreFault('store_unavailable', `nobody opens ${successor}`); // M-21.
    const [event] = await this.store.read(runStream(runId, predecessor.branch), predecessor.revision, predecessor.revision);
    invariant(event?.type === 'BranchSuperseded', `${predecessor.branch} ends with what announces ${successor}`);
    return this.open(predecessor, event);
  }

  /** Appends what follows from the announcement. Whoever else does so appends the same events: one of both is stored (W-2). */
  private async open(predecessor: RunState, event: StoredEvent): Promise<Snapshot> {
    const { runId } = predecessor;
    const { branch: successor, spec } = announcementOf(event);
    const parent = await this.stateAt(runId, spec.parent);
    const beginning = beginningOf(successor, parent.state, predecessor);
    const events = derivedOpening({ predecessor, beginning, event, parentHash: parent.lastHash });
    await this.store.append(runStream(runId, successor), 'no_stream', events);
    const [opened, checkpoint] = events;
    invariant(opened !== undefined && checkpoint !== undefined, 'a branch opens with two events');
    this.takeSnapshot(foldRun(beginning, decodeRunEvents([opened])), checkpoint);
    // What stands there now: another replica may have opened it, and gone on.
    const stored = await this.store.read(runStream(runId, successor));
    return { state: foldRun(beginning, decodeRunEvents(stored)), lastHash: stored.at(-1)?.metadata.hash ?? '' };
  }

  /** Of the state right before a checkpoint. */
  private takeSnapshot(state: RunState, checkpoint: StoredEvent | undefined): void {
    this.snapshots.set(state.runId, pointOf(state));
    void this.putAway({ state, lastHash: checkpoint?.metadata.prevHash ?? '' }).catch(() =>
      this.metrics.count('cairn_snapshot_faults_total'),
    );
  }

  private async withPlan({ state, lastHash }: Snapshot): Promise<LoadedRun> {
    const plan = state.started === null ? undefined : await this.documents.planFor(state.started.ns, state.started.definition);
    return { state, lastHash, plan };
  }
}

const pointOf = ({ branch, revision }: RunState): BranchPoint => ({ branch, revision });

const unwritten = (runId: Id): Snapshot => ({ state: initialState(runId), lastHash: '' });

/** Whether the event behind a snapshot is the checkpoint that it was taken for, and gives the same state. */
function proves(event: StoredEvent | undefined, { state, lastHash }: Snapshot): boolean {
  if (event?.type !== 'CheckpointReached' || event.metadata.prevHash !== lastHash) return false;
  return event.data['stateDigest'] === stateDigest(state);
}

const snapshotName = (runId: Id, branch: string): string => `snapshot/${SNAPSHOT_VERSION}/${runId}+${branch}`;
