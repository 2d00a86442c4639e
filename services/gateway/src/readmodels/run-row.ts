import type { ImportedRunSummary, RunStateName, RunView } from '@cairn/contracts';
import type { Id, Instant, JsonObject, Revision, StoredEvent } from '@cairn/kernel';
import { partOf, type BranchCause, type BranchSuperseded, type RetryDecided, type RunEvent, type RunStarted } from '@cairn/domain-run';
import type { BundleImported } from '@cairn/domain-schedule';
import { FIRST_BRANCH } from '@cairn/ports';
import { EffectsInDoubt } from './effects-in-doubt.js';

/** What people decided about a failure that owes another attempt, by what follows. */
const goesOnBy = (then: string): boolean => /^(again|branch|fallback)/.test(then);

/** What a failed attempt is still owed: a decision or another attempt, an operator, one who looks what its effect did, nothing more. */
type Owed = 'retry' | 'operator' | 'look' | 'nothing';

/** A run that shows no event for so long while somebody should be at work is `silent` (`capabilities.md` §2.1). */
export const SILENT_AFTER_MS = 86_400_000;

/**
 * One line about a run, folded from its events: the state of `capabilities.md` §2.1, first row that holds. Changed in place, since
 * every event of every run passes here (1-2 µs). `@cairn/domain-run` folds the same state from the whole history; a spec holds them equal.
 */
export class RunRow {
  ns = '';
  workflow = '';
  version = '';
  key: string | undefined;
  goal: string | null = null;
  attributes: JsonObject = {};
  state: RunStateName = 'active';
  sub: string | null = null;
  head = FIRST_BRANCH;
  /** Branches beyond the first, in the order in which they were announced. Absent of most runs. */
  private others: readonly string[] | undefined;
  /** What its branches beyond the first were opened for. Absent of most runs. */
  private opened: readonly BranchCause[] | undefined;
  /** Buckets that its failures were judged to be of, each once. Absent of most runs. */
  private judged: readonly string[] | undefined;
  /** Versions of the definition by which branches go on that have another than the one that they grew from. Absent of most runs. */
  private versions: ReadonlyMap<string, string> | undefined;
  revision: Revision = -1;
  since: Instant = '';
  /** When it came into the state, whatever the sub-state was since then. */
  entered: Instant = '';
  startedAt: Instant = '';
  endedAt: Instant | undefined;
  /** Revision of the event that ended it. */
  endRevision: Revision | undefined;
  lastAt: Instant = '';
  /** Where the run is another store's: what was imported of it. Nothing happens to such a run here. */
  imported: BundleImported['data'] | undefined;

  private firstAttempts = 0;
  private laterAttempts = 0;
  private retriesOwed = 0;
  private operatorsOwed = 0;
  /** Of those, steps whose effect nobody knows of. */
  private looksOwed = 0;
  /** Open attempts and their numbers. Absent while there are none that need it: most rows are of runs that have ended. */
  private attempts: Map<Id, number> | undefined;
  /** Steps whose last failure is not settled. */
  private owed: Map<string, Owed> | undefined;
  private waits: Map<Id, { readonly kinds: readonly string[]; stale: boolean }> | undefined;
  private reviews: Map<Id, { readonly why: string; escalated: boolean; overdue: boolean }> | undefined;
  private failure: { attemptId: Id; at: Instant; bucket: string | null } | undefined;
  private paused = false;
  private effects: EffectsInDoubt | undefined;

  constructor(readonly run: Id) {}

  /**
   * Folds the next event of the run's head. One that was folded before, or that stands on a branch that is not the head, changes nothing and
   * answers false: tails deliver at least once.
   */
  apply(event: StoredEvent): boolean {
    if ((event.metadata.branch ?? FIRST_BRANCH) !== this.head || event.revision <= this.revision) return false;
    this.revision = event.revision;
    this.lastAt = event.at;
    this.fold(event as unknown as StoredEvent & RunEvent);
    this.judge(event.at);
    return true;
  }

  /** Names of its branches, in the order in which they were announced. */
  get branches(): readonly string[] {
    return this.others === undefined ? [FIRST_BRANCH] : [FIRST_BRANCH, ...this.others];
  }

  /** Whether one of its branches was opened for this, whichever acts now (U-1). */
  hasCause(cause: string): boolean {
    return this.opened?.some((one) => one === cause) === true;
  }

  /** Whether one of its failures was judged so. */
  hasBucket(bucket: string): boolean {
    return this.judged?.includes(bucket) === true;
  }

  /** Its sub-state, or one of those that hold at once. */
  hasSub(sub: string): boolean {
    return this.sub === sub || this.sub?.split('+').includes(sub) === true;
  }

  /** The row of a run that was imported, as its bundle leaves it. */
  static ofImport(imported: BundleImported['data']): RunRow {
    const { state, endedAt, ...told } = imported.run;
    return Object.assign(new RunRow(imported.runId), {
      ...told,
      ns: imported.ns,
      state: state as RunStateName,
      endedAt,
      entered: told.since,
      ...(endedAt === undefined ? {} : { endRevision: told.revision }),
      imported,
    });
  }

  /** What a bundle's import says of the run. */
  summary(): ImportedRunSummary {
    const { workflow, version, key, goal, attributes, state, sub, head, revision, since, startedAt, endedAt } = this;
    return {
      workflow,
      version,
      ...(key === undefined ? {} : { key }),
      goal,
      attributes,
      state,
      sub,
      head,
      revision,
      since,
      startedAt,
      ...(endedAt === undefined ? {} : { endedAt }),
    };
  }

  /** A row that folds on without changing this one. */
  copy(): RunRow {
    const copy = Object.assign(new RunRow(this.run), this);
    copy.attempts = this.attempts && new Map(this.attempts);
    copy.owed = this.owed && new Map(this.owed);
    copy.waits = this.waits && new Map([...this.waits].map(([id, wait]) => [id, { ...wait }]));
    copy.reviews = this.reviews && new Map([...this.reviews].map(([id, review]) => [id, { ...review }]));
    copy.failure = this.failure && { ...this.failure };
    copy.effects = this.effects?.copy();
    return copy;
  }

  view(nowMs: number): RunView {
    return {
      run: this.run,
      workflow: this.workflow,
      version: this.version,
      ...(this.key === undefined ? {} : { key: this.key }),
      goal: this.goal,
      state: this.state,
      ...(this.sub === null ? {} : { sub: this.sub }),
      head: this.head,
      revision: this.revision,
      since: this.since,
      startedAt: this.startedAt,
      ...(this.endedAt === undefined ? {} : { endedAt: this.endedAt }),
      attributes: this.attributes,
      flags: this.flags(nowMs),
    };
  }

  private fold(event: StoredEvent & RunEvent): void {
    switch (event.type) {
      case 'BranchSuperseded':
        this.goOn(event.data);
        break;
      case 'RunStarted':
        this.start(event.data, event.at);
        break;
      case 'StepStarted':
        this.settle(event.data.step);
        this.effects?.forget(event.data.step);
        if (event.data.effect !== undefined) (this.effects ??= new EffectsInDoubt()).askAbout(event.data.step, event.data.effect.key);
        (this.attempts ??= new Map()).set(event.data.attemptId, event.data.attempt);
        if (event.data.attempt === 1) this.firstAttempts += 1;
        else this.laterAttempts += 1;
        break;
      case 'StepSucceeded':
        this.close(event.data.attemptId);
        this.effects?.forget(event.data.step);
        break;
      case 'StepFailed':
        this.close(event.data.attemptId);
        this.owe(event.data.step, 'retry');
        if (this.failure === undefined || event.at >= this.failure.at)
          this.failure = { attemptId: event.data.attemptId, at: event.at, bucket: null };
        break;
      case 'RetryDecided':
        this.decide(event.data);
        break;
      case 'StepSkipped':
        this.settle(event.data.step);
        this.effects?.forget(event.data.step);
        break;
      case 'EffectIntended':
        (this.effects ??= new EffectsInDoubt()).intend(event.data.step, event.data.key);
        break;
      case 'EffectUnknown':
        this.effects?.doubt(event.data.key);
        break;
      case 'EffectConfirmed':
        this.effects?.clear(event.data.key);
        if (event.data.by === 'reply' || !this.hasFailedOver(event.data)) break;
        // Found out later: the step has succeeded all the same.
        this.settle(event.data.step);
        this.settle(partOf(event.data.step, 'reconcile'));
        this.effects?.forget(event.data.step);
        break;
      case 'EffectAbsent':
        this.effects?.clear(event.data.key);
        if (!this.hasFailedOver(event.data)) break;
        this.settle(partOf(event.data.step, 'reconcile'));
        if (this.owed?.get(event.data.step) !== 'retry') this.owe(event.data.step, 'retry'); // Judged anew.
        break;
      case 'WaitOpened':
        this.waits ??= new Map();
        this.waits.set(event.data.waitId, { kinds: event.data.triggers.map(({ kind }) => kind), stale: false });
        break;
      case 'WaitSatisfied':
      case 'WaitExpired':
      case 'WaitWithdrawn':
        this.waits?.delete(event.data.waitId);
        break;
      case 'WaitStale': {
        const wait = this.waits?.get(event.data.waitId);
        if (wait !== undefined) wait.stale = true;
        break;
      }
      case 'ReviewRequested':
        // Asked again: what it blocked is not owed to an operator any more. What is asked about a failure is owed until it is decided.
        if (event.data.attemptId === undefined) this.settle(event.data.step);
        else if (event.data.why === 'budget') this.owe(event.data.step, 'operator'); // In the place of the branch that was decided.
        (this.reviews ??= new Map()).set(event.data.reviewId, {
          why: event.data.why,
          escalated: event.data.attemptId !== undefined,
          overdue: false,
        });
        break;
      case 'ReviewEscalated': {
        const review = this.reviews?.get(event.data.reviewId);
        if (review === undefined) break;
        review.escalated = true;
        review.overdue ||= event.data.to === null;
        break;
      }
      case 'VerdictApplied':
        this.reviews?.delete(event.data.reviewId);
        if (event.data.attemptId !== undefined) this.owe(event.data.step, goesOnBy(event.data.then) ? 'retry' : 'nothing');
        else if (event.data.then === 'block') this.owe(event.data.step, 'operator');
        break;
      case 'ReviewWithdrawn':
        this.reviews?.delete(event.data.reviewId);
        break;
      case 'RunCompleted':
        this.end(event, event.data.outcome);
        break;
      case 'RunGaveUp':
        this.end(event, 'gave_up');
        break;
      case 'RunFailed':
        this.end(event, 'failed');
        break;
      case 'RunCancelled':
        this.end(event, 'cancelled');
        break;
      case 'RunPaused':
        this.paused = true;
        break;
      case 'RunUnpaused':
        this.paused = false;
        break;
      case 'AttemptTaken':
      case 'EffectCompensated':
      case 'WaitTriggered':
      case 'EventEmitted':
      case 'CheckpointReached':
      case 'LateResultRecorded':
      case 'BranchOpened':
      case 'VerdictCarried': // Nobody is asked.
      case 'StepStubbed': // Of shadows, which are no part of what a run is.
      case 'ShadowEnded':
      case 'BranchAbandoned':
        break;
      case 'ShadowOpened':
        this.others = [...(this.others ?? []), event.data.branch];
        this.opened = [...(this.opened ?? []), event.data.spec.cause];
        this.versionOf(event.data.branch, event.data.spec);
        break;
    }
  }

  private start(data: RunStarted['data'], at: Instant): void {
    this.ns = data.ns;
    this.workflow = data.workflow;
    this.version = String(data.definition.version);
    this.key = data.key;
    this.goal = data.goal;
    this.attributes = data.attributes;
    this.startedAt = at;
  }

  /** The version by which a branch goes on: its own, else its parent's. */
  private versionOf(branch: string, { definition, parent }: BranchSuperseded['data']['spec']): string {
    const before = this.versions?.get(parent.branch) ?? this.version;
    const version = definition === undefined ? before : String(definition.version);
    if (this.versions !== undefined || version !== this.version)
      this.versions = new Map([[FIRST_BRANCH, this.version], ...(this.versions ?? []), [branch, version]]);
    return version;
  }

  /** The run goes on elsewhere, with what is carried, whatever had ended it here. A policy's branch owes what its head owed. */
  private goOn({ successor, spec }: BranchSuperseded['data']): void {
    const { carried } = spec;
    this.version = this.versionOf(successor, spec);
    this.head = successor;
    this.others = [...(this.others ?? []), successor];
    this.opened = [...(this.opened ?? []), spec.cause];
    this.revision = -1;
    this.endedAt = undefined;
    this.endRevision = undefined;
    for (const attemptId of [...(this.attempts?.keys() ?? [])]) if (!carried.attempts.includes(attemptId)) this.close(attemptId);
    for (const reviewId of [...(this.reviews?.keys() ?? [])])
      if (carried.reviews?.includes(reviewId) !== true) this.reviews?.delete(reviewId);
    for (const waitId of [...(this.waits?.keys() ?? [])]) if (!carried.waits.includes(waitId)) this.waits?.delete(waitId);
    // A policy's branch carries all that is owed, a person's nothing.
    if (carried.failures.length === 0) for (const step of [...(this.owed?.keys() ?? [])]) this.settle(step);
  }

  /** The step has failed here with that effect, and something is owed for it. */
  private hasFailedOver({ key, step }: { readonly key: string; readonly step: string }): boolean {
    return this.endedAt === undefined && this.owed?.has(step) === true && this.effects?.keyOf(step) === key;
  }

  private close(attemptId: Id): void {
    const n = this.attempts?.get(attemptId);
    if (n === undefined) return;
    this.attempts?.delete(attemptId);
    if (n === 1) this.firstAttempts -= 1;
    else this.laterAttempts -= 1;
  }

  private owe(step: string, owed: Owed): void {
    this.settle(step);
    if (owed === 'nothing') return;
    this.owed ??= new Map();
    this.owed.set(step, owed);
    if (owed === 'retry') this.retriesOwed += 1;
    else {
      this.operatorsOwed += 1;
      if (owed === 'look') this.looksOwed += 1;
    }
  }

  private settle(step: string): void {
    const owed = this.owed?.get(step);
    if (owed === undefined) return;
    this.owed?.delete(step);
    if (owed === 'retry') this.retriesOwed -= 1;
    else {
      this.operatorsOwed -= 1;
      if (owed === 'look') this.looksOwed -= 1;
    }
  }

  private decide({ step, attemptId, decision, bucket }: RetryDecided['data']): void {
    if (this.failure?.attemptId === attemptId) this.failure.bucket = bucket;
    if (this.judged?.includes(bucket) !== true) this.judged = [...(this.judged ?? []), bucket];
    if (decision === 'retry' || decision === 'retry_modified' || decision === 'fallback') this.owe(step, 'retry');
    else if (decision !== 'block' && decision !== 'escalate') this.owe(step, 'nothing');
    else this.owe(step, this.effects?.isUnknown(step) === true ? 'look' : 'operator');
  }

  private end(event: StoredEvent, outcome: string): void {
    this.endedAt = event.at;
    this.endRevision = event.revision;
    this.attempts = undefined;
    this.owed = undefined;
    this.waits = undefined;
    this.reviews = undefined;
    this.failure = undefined;
    this.effects = undefined;
    this.firstAttempts = this.laterAttempts = this.retriesOwed = this.operatorsOwed = this.looksOwed = 0;
    this.become('complete', outcome, event.at);
  }

  private judge(at: Instant): void {
    if (this.endedAt !== undefined) return;
    if (this.paused) this.become('blocked', 'paused', at);
    else if (this.whys(true) !== null) this.become('escalated', this.whys(true), at);
    else if (this.operatorsOwed > 0) this.become('blocked', this.looksOwed > 0 ? 'effect_unknown' : 'awaiting_decision', at);
    else if (this.firstAttempts > 0) this.become('active', null, at);
    else if (this.laterAttempts > 0 || this.retriesOwed > 0) this.become('retrying', this.failure?.bucket ?? null, at);
    else if (this.whys(false) !== null) this.become('in_review', this.whys(false), at);
    else if (this.waits !== undefined && this.waits.size > 0) this.become('waiting', this.triggerKinds(this.waits), at);
    else this.become('active', null, at);
  }

  private become(state: RunStateName, sub: string | null, at: Instant): void {
    if (this.state === state && this.sub === sub && this.since !== '') return;
    if (this.state !== state || this.since === '') this.entered = at;
    this.state = state;
    this.sub = sub;
    this.since = at;
  }

  /** Why people are asked, of all open reviews or of those that were passed up; null if there are none. */
  private whys(escalated: boolean): string | null {
    if (this.reviews === undefined || this.reviews.size === 0) return null;
    const whys = [...this.reviews.values()].filter((review) => !escalated || review.escalated).map(({ why }) => why);
    return whys.length === 0 ? null : [...new Set(whys)].sort().join('+');
  }

  private triggerKinds(waits: NonNullable<RunRow['waits']>): string {
    if (waits.size === 1) for (const { kinds } of waits.values()) if (kinds.length === 1) return kinds[0]!;
    return [...new Set([...waits.values()].flatMap(({ kinds }) => kinds))].sort().join('+');
  }

  private flags(nowMs: number): readonly string[] {
    if (this.imported !== undefined) return ['imported']; // What it waits for, or owes, is another store's affair.
    const flags: string[] = [];
    const open = [...(this.waits?.values() ?? [])];
    const reviews = [...(this.reviews?.values() ?? [])];
    if (open.length > 0 || reviews.length > 0) flags.push('quiet'); // Nobody is notified of anything yet.
    if (open.some(({ stale }) => stale)) flags.push('stale');
    if (reviews.some(({ overdue }) => overdue)) flags.push('overdue');
    const working = this.state === 'active' || this.state === 'retrying' || (this.state === 'blocked' && !this.paused);
    if (working && nowMs - Date.parse(this.lastAt) > SILENT_AFTER_MS) flags.push('silent');
    return flags;
  }
}
