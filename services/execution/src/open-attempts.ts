import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import { announcementOf, type BranchSuperseded } from '@cairn/domain-run';
import { parseRunStream, type Id, type StoredEvent } from '@cairn/kernel';

export interface OpenAttemptEntry {
  readonly ns: string;
  readonly runId: Id;
  /** Of a shadow's attempt: its branch. */
  readonly shadow?: string;
}

/** A branch that was announced, and whose beginning has started nothing yet. */
export interface AnnouncedBranch {
  readonly ns: string;
  readonly branch: string;
  /** Event id of its `BranchSuperseded` or `ShadowOpened`. */
  readonly announcedBy: Id;
}

/** A shadow that is not over. */
export interface LiveShadow extends AnnouncedBranch {
  readonly runId: Id;
  readonly begun: boolean;
}

/**
 * Execution's unfinished business: attempts that the history has open, and branches that were announced and have not begun. After a crash, or when an append landed that its writer
 * had given up, the sweep finds here what no handler was told of (F-5, F-6).
 */
export class OpenAttempts implements WorkingSetFold {
  readonly name = 'execution';
  readonly types = [
    'StepStarted',
    'StepSucceeded',
    'StepFailed',
    'BranchSuperseded',
    'ShadowOpened',
    'ShadowEnded',
    'BranchAbandoned',
    'RunPaused',
    'RunUnpaused',
    'RunCompleted',
    'RunFailed',
    'RunGaveUp',
    'RunCancelled',
  ];
  readonly foldVersion = 5;
  private attempts = new Map<Id, OpenAttemptEntry>();
  private byRun = new Map<string, Set<Id>>();
  private branches = new Map<Id, AnnouncedBranch>();
  /** By run and branch. A shadow lives on when its run has ended. */
  private shadows = new Map<string, LiveShadow>();

  /** Branches that may not have begun, by run. One that has nothing to start stays here until its run ends: ringing it again does no harm. */
  announced(): Iterable<[Id, AnnouncedBranch]> {
    return this.branches.entries();
  }

  /** Shadows that may not have begun. */
  *announcedShadows(): Iterable<LiveShadow> {
    for (const shadow of this.shadows.values()) if (!shadow.begun) yield shadow;
  }

  entries(): Iterable<[Id, OpenAttemptEntry]> {
    return this.attempts.entries();
  }

  has(attemptId: Id): boolean {
    return this.attempts.has(attemptId);
  }

  runOf(attemptId: Id): Id | undefined {
    return this.attempts.get(attemptId)?.runId;
  }

  /** The open attempts of a run's head; with a name those of that shadow. */
  of(runId: Id, shadow?: string): Iterable<Id> {
    return this.byRun.get(keyOf(runId, shadow)) ?? [];
  }

  /** The live shadows of a run. */
  shadowsOf(runId: Id): readonly string[] {
    return [...this.shadows.values()].flatMap((shadow) => (shadow.runId === runId ? [shadow.branch] : []));
  }

  fold(event: StoredEvent): void {
    const run = parseRunStream(event.stream);
    if (run === undefined) return;
    const attemptId = event.data['attemptId'];
    const shadow = this.shadows.get(keyOf(run.runId, run.branch));
    switch (event.type) {
      case 'ShadowOpened': {
        const { branch } = announcementOf(event);
        const { ns } = event.metadata;
        this.shadows.set(keyOf(run.runId, branch), { ns, runId: run.runId, branch, announcedBy: event.eventId, begun: false });
        return;
      }
      case 'ShadowEnded':
      case 'BranchAbandoned':
        for (const open of [...this.of(run.runId, run.branch)]) this.remove(open);
        this.shadows.delete(keyOf(run.runId, run.branch));
        return;
      case 'BranchSuperseded':
        return this.superseded(run.runId, event);
      case 'StepStarted':
        if (shadow !== undefined) {
          this.shadows.set(keyOf(run.runId, run.branch), { ...shadow, begun: true });
          this.add(attemptId as Id, { ns: event.metadata.ns, runId: run.runId, shadow: run.branch });
          return;
        }
        // A carried step may be retried before the branch itself has begun: only what the announcement caused shows that it has.
        if (this.branches.get(run.runId)?.announcedBy === event.metadata.causationId) this.branches.delete(run.runId);
        this.add(attemptId as Id, { ns: event.metadata.ns, runId: run.runId });
        return;
      case 'StepSucceeded':
      case 'StepFailed':
        this.remove(attemptId as Id);
        return;
      case 'RunPaused':
      case 'RunUnpaused':
        return; // The attempts stay open: the desk alone needs to know.
      default:
        for (const open of this.byRun.get(run.runId) ?? []) this.attempts.delete(open);
        this.byRun.delete(run.runId);
        this.branches.delete(run.runId);
    }
  }

  /** What the successor does not carry is over. */
  private superseded(runId: Id, event: StoredEvent): void {
    const { successor, spec } = event.data as unknown as BranchSuperseded['data'];
    const carried = new Set<Id>(spec.carried.attempts);
    for (const open of [...this.of(runId)]) if (!carried.has(open)) this.remove(open);
    this.branches.set(runId, { ns: event.metadata.ns, branch: successor, announcedBy: event.eventId });
  }

  reset(): void {
    this.attempts = new Map();
    this.byRun = new Map();
    this.branches = new Map();
    this.shadows = new Map();
  }

  lines(): readonly string[] {
    return canonicalLines([
      ...[...this.attempts].map(([attemptId, entry]) => ['attempt', attemptId, entry] as const),
      ...[...this.branches].map(([runId, branch]) => ['branch', runId, branch] as const),
      ...[...this.shadows].map(([key, shadow]) => ['shadow', key, shadow] as const),
    ]);
  }

  deserialize(text: string): void {
    this.reset();
    for (const [kind, id, entry] of readCanonicalLines(text)) {
      if (kind === 'branch') this.branches.set(String(id), entry as AnnouncedBranch);
      else if (kind === 'shadow') this.shadows.set(String(id), entry as LiveShadow);
      else this.add(String(id), entry as OpenAttemptEntry);
    }
  }

  fresh(): OpenAttempts {
    return new OpenAttempts();
  }

  private add(attemptId: Id, entry: OpenAttemptEntry): void {
    this.attempts.set(attemptId, entry);
    const key = keyOf(entry.runId, entry.shadow);
    const siblings = this.byRun.get(key);
    if (siblings === undefined) this.byRun.set(key, new Set([attemptId]));
    else siblings.add(attemptId);
  }

  private remove(attemptId: Id): void {
    const entry = this.attempts.get(attemptId);
    if (entry === undefined) return;
    this.attempts.delete(attemptId);
    const key = keyOf(entry.runId, entry.shadow);
    const siblings = this.byRun.get(key);
    siblings?.delete(attemptId);
    if (siblings?.size === 0) this.byRun.delete(key);
  }
}

const keyOf = (runId: Id, shadow: string | undefined): string => (shadow === undefined ? runId : `${runId}+${shadow}`);
