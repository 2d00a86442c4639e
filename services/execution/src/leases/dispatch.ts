import { inParallel, type Generations } from '@cairn/application';
import type { Plan } from '@cairn/domain-definition';
import type { RunState } from '@cairn/domain-run';
import { parseRunStream, partitionOf, type Id, type StoredEvent } from '@cairn/kernel';
import type { CallbackTokens, Clock, Metrics } from '@cairn/ports';
import { branchOrder, type Driver } from '../driving/driver.js';
import type { LoadedRun } from '../driving/run-loader.js';
import type { OpenAttempts } from '../open-attempts.js';
import type { Serving } from '../partitions/serving.js';
import type { Desk, OfferContext } from './desk.js';
import { taskOf } from './task.js';

/** An attempt that the history has open this long and no handler was told of has been forgotten. */
const SETTLE_MS = 2_000;
/** What another replica started on a run of ours is looked for so soon after the tail has shown it: it tells us itself, as a rule. */
const FOLDED_SETTLE_MS = 100;

export interface DispatchParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly desk: Desk;
  readonly driver: Driver;
  readonly cache: Generations<Id, LoadedRun>;
  readonly open: OpenAttempts;
  readonly serving: Serving;
  /** `true` where other replicas may serve a part of the runs. */
  readonly isShared: boolean;
  /** Tells whoever serves the run that it has moved. */
  readonly tellMoved: (ns: string, runId: Id) => void;
  readonly mutants: ReadonlySet<string>;
  readonly callbackTokens?: CallbackTokens;
}

/** Brings what the history has open to the desk of whoever serves its run, and closes there what is over. */
export class Dispatch {
  private readonly openSince = new Map<Id, number>();
  private readonly moving = new Set<Id>();
  /** Announced branches by the event that did, and when they were seen first; null once they have begun, or had nothing to begin. */
  private readonly announced = new Map<Id, number | null>();

  constructor(private readonly parts: DispatchParts) {}

  /** After an append here: what has started is offered, what is over is closed, what is paused is kept. */
  onAppended(before: RunState, after: RunState, events: readonly StoredEvent[], plan: Plan): void {
    const { desk, serving, cache, tellMoved, isShared } = this.parts;
    if (!serving.serves(after.runId)) {
      cache.delete(after.runId); // Whoever serves it will move it on.
      return tellMoved(after.started?.ns ?? '', after.runId);
    }
    const { paused, attempts } = after.path;
    for (const { type, data } of events) {
      if (type === 'StepStarted') this.offer(after, plan, data['attemptId'] as Id);
      else if (type === 'StepSucceeded' || type === 'StepFailed') {
        if (isShared) desk.tellEnd(data['attemptId'] as Id, type === 'StepSucceeded' ? 'succeeded' : 'failed');
        desk.close(data['attemptId'] as Id);
      }
    }
    const { superseded } = after;
    if (superseded !== null) {
      // What is carried goes on under its id, and whoever has it knows nothing of branches.
      const carried = new Set(superseded.spec.carried.attempts);
      for (const attemptId of before.path.attempts.keys()) if (!carried.has(attemptId)) desk.close(attemptId);
    } else if (after.end !== null) for (const attemptId of before.path.attempts.keys()) desk.close(attemptId);
    else if (paused && !before.path.paused) for (const attemptId of attempts.keys()) desk.pause(attemptId);
    else if (before.path.paused && !paused) for (const attemptId of attempts.keys()) this.unpause(after, plan, attemptId);
  }

  /** What the tail shows, of other replicas' appends too: our desk believes it. */
  onFolded(events: readonly StoredEvent[]): void {
    const { desk, open, serving, isShared } = this.parts;
    for (const event of events) {
      const runId = parseRunStream(event.stream)?.runId ?? '';
      const attemptId = event.data['attemptId'] as Id;
      if (event.type === 'StepSucceeded' || event.type === 'StepFailed') desk.close(attemptId);
      else if (event.type === 'ShadowEnded' || event.type === 'BranchAbandoned') this.closeShadow(event);
      else if (event.type === 'RunPaused') for (const paused of open.of(runId)) desk.pause(paused);
      else if (event.type === 'RunUnpaused') for (const unpaused of open.of(runId)) desk.unpause(unpaused);
      else if (isShared && event.type === 'StepStarted' && !desk.knows(attemptId) && serving.serves(runId)) this.lookSoon(runId, attemptId);
    }
  }

  /** Another replica says that it has moved a run of ours: what we knew of it is old. */
  moved(runId: Id): void {
    const { serving, cache, metrics } = this.parts;
    if (!serving.serves(runId)) return;
    cache.delete(runId);
    if (this.moving.has(runId)) return; // The look that is about to be taken sees this, too.
    this.moving.add(runId);
    this.parts.clock.after(0, () => {
      this.moving.delete(runId);
      this.lookAt(runId, {}).catch(() => metrics.count('cairn_dispatch_faults_total'));
    });
  }

  /** Partitions are ours from now on: their open attempts are with whoever has them, or with nobody. */
  async gained(partitions: ReadonlySet<number>): Promise<void> {
    const { open, metrics } = this.parts;
    const runs = new Set<Id>();
    for (const [, { runId }] of open.entries()) if (partitions.has(partitionOf(runId))) runs.add(runId);
    await inParallel([...runs], async (runId) => {
      // What fails here the sweep finds.
      await this.lookAt(runId, { recovering: true }).catch(() => metrics.count('cairn_dispatch_faults_total'));
    });
  }

  /** Partitions are another's: nothing of them is known here any more. */
  lost(partitions: ReadonlySet<number>): void {
    const isLost = (runId: Id): boolean => partitions.has(partitionOf(runId));
    this.parts.desk.dropWhere(isLost);
    this.parts.cache.deleteWhere((key) => isLost(key.split('+')[0] ?? ''));
  }

  /** Attempts that the history has open and the desk does not know. */
  async offerForgotten(context: OfferContext): Promise<void> {
    const { clock, desk, open, serving, isShared, mutants } = this.parts;
    const now = clock.monotonicMs();
    const forgotten = new Set<Id>();
    for (const [attemptId, { runId }] of open.entries()) {
      if (desk.has(attemptId) || !serving.serves(runId)) {
        this.openSince.delete(attemptId);
        continue;
      }
      const since = this.openSince.get(attemptId) ?? now;
      this.openSince.set(attemptId, since);
      if (context.recovering !== true && (now - since < SETTLE_MS || mutants.has('M-9'))) continue; // M-9: planted bug, the sweep skips open attempts.
      forgotten.add(runId);
    }
    for (const attemptId of this.openSince.keys()) if (desk.has(attemptId) || !open.has(attemptId)) this.openSince.delete(attemptId);
    // Where replicas take over from each other, somebody may well have what this one does not know.
    for (const runId of forgotten) await this.lookAt(runId, isShared ? { recovering: true } : context);
  }

  /** Lets branches begin that were announced a while ago and have started nothing: whoever announced them may be gone (F-54). */
  beginAnnounced(): void {
    const { clock, driver, open, serving, metrics } = this.parts;
    const now = clock.monotonicMs();
    const known = new Set<Id>();
    const waiting = [
      ...[...open.announced()].map(([runId, { announcedBy, branch }]) => ({
        runId,
        eventId: announcedBy,
        type: 'BranchSuperseded',
        data: { successor: branch, spec: {} },
      })),
      ...[...open.announcedShadows()].map(({ runId, announcedBy, branch }) => ({
        runId,
        eventId: announcedBy,
        type: 'ShadowOpened',
        data: { branch, spec: {} },
      })),
    ];
    for (const { runId, ...event } of waiting) {
      const { eventId } = event;
      known.add(eventId);
      const since = this.announced.get(eventId);
      if (since === undefined) this.announced.set(eventId, now);
      if (since === undefined || since === null || now - since < SETTLE_MS || !serving.serves(runId)) continue;
      this.announced.set(eventId, null);
      driver.submit(branchOrder(runId, event)).catch(() => {
        metrics.count('cairn_dispatch_faults_total');
        this.announced.set(eventId, now);
      });
    }
    for (const announcedBy of this.announced.keys()) if (!known.has(announcedBy)) this.announced.delete(announcedBy);
  }

  /** Offers what is open in the run as the store has it now, and closes what is not. */
  private async lookAt(runId: Id, context: OfferContext): Promise<void> {
    const { desk, driver, cache, open, serving } = this.parts;
    cache.delete(runId); // What the cache believes led to this.
    const { state, plan } = await driver.look(runId);
    if (plan === undefined || !serving.serves(runId)) return;
    for (const attemptId of open.of(runId)) if (!state.path.attempts.has(attemptId)) desk.close(attemptId);
    for (const attemptId of state.path.attempts.keys()) {
      if (state.path.paused) desk.pause(attemptId);
      this.offer(state, plan, attemptId, context);
    }
    for (const branch of open.shadowsOf(runId)) await this.lookAtShadow(runId, branch, context);
  }

  /** Another replica may have ended it: what is open of it here is nobody's work any more. */
  private closeShadow({ stream }: StoredEvent): void {
    const { runId = '', branch } = parseRunStream(stream) ?? {};
    if (branch !== undefined) for (const attemptId of this.parts.desk.of(runId, branch)) this.parts.desk.close(attemptId);
  }

  private async lookAtShadow(runId: Id, branch: string, context: OfferContext): Promise<void> {
    const { desk, driver, cache, open } = this.parts;
    cache.delete(`${runId}+${branch}`);
    const shadow = await driver.lookAtShadow(runId, branch);
    if (shadow?.plan === undefined) return;
    for (const attemptId of open.of(runId, branch)) if (!shadow.state.path.attempts.has(attemptId)) desk.close(attemptId);
    for (const attemptId of shadow.state.path.attempts.keys()) this.offer(shadow.state, shadow.plan, attemptId, context);
  }

  private lookSoon(runId: Id, attemptId: Id): void {
    this.parts.clock.after(FOLDED_SETTLE_MS, () => {
      if (this.parts.open.has(attemptId) && !this.parts.desk.knows(attemptId)) this.moved(runId);
    });
  }

  private offer(state: RunState, plan: Plan, attemptId: Id, context: OfferContext = {}): void {
    if (this.parts.desk.has(attemptId)) return;
    const task = taskOf(state, plan, attemptId, this.parts.callbackTokens);
    if (task !== undefined) this.parts.desk.offer(task, { ...context, paused: state.path.paused });
  }

  private unpause(state: RunState, plan: Plan, attemptId: Id): void {
    this.parts.desk.unpause(attemptId);
    this.offer(state, plan, attemptId);
  }
}
