import {
  BEAT_MS,
  BEATS_MISSED_MAX,
  FRAME_HOLD_MS,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
  type WorkDesk,
} from '@cairn/contracts';
import { Generations } from '@cairn/application';
import type { Id } from '@cairn/kernel';
import type { Clock, Metrics, Timer } from '@cairn/ports';
import { Session, type Entry } from './session.js';
import type { Task } from './task.js';
import { WorkQueue, type Poller } from './work-queue.js';

/** How often leases and beats are looked at: a third of a session's patience, so a loss is seen within two seconds. */
const WATCH_INTERVAL_MS = 250;
/** Closed attempts whose run is remembered, so that a late reply without its run's name still finds its way. */
const CLOSED_REMEMBERED_MAX = 20_000;
/** A session that has missed so many beats is dead. */
const SESSION_PATIENCE_MS = BEAT_MS * BEATS_MISSED_MAX;

export type ReplyOutcome = 'accepted' | 'late';

export interface DeskOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Records a reply. Resolves after its append; rejects with a fault: the handler sends it again. */
  readonly record: (runId: Id, reply: CloudEvent<ReplyData>) => Promise<ReplyOutcome>;
  /** Records that an attempt's lease ran out. Resolves when that is durable or was too late; rejects: judged anew at the next look. */
  readonly lapse: (task: Task, by: 'lease' | 'timeout', message: string) => Promise<void>;
}

/**
 * Where handlers get work and leave results. Holds what follows from the history and can be had from it again: open attempts, who
 * has them, until when. A lease runs from taking: what nobody has taken waits here and is never failed (`architecture.md` §4.2).
 */
export class Desk implements WorkDesk {
  private readonly entries = new Map<Id, Entry>();
  private readonly queues = new Map<string, WorkQueue>();
  private readonly sessions = new Map<Id, Session>();
  private readonly closed = new Generations<Id, Id>(CLOSED_REMEMBERED_MAX);
  private readonly toAssign = new Set<WorkQueue>();
  private assigning: Timer | undefined;
  private watching: Timer | undefined;
  private lastLook: number;
  private stopped = false;
  private readonly startedAt: number;

  constructor(private readonly options: DeskOptions) {
    this.startedAt = options.clock.monotonicMs();
    this.lastLook = this.startedAt;
    this.watch();
  }

  /** Open frames and polls are answered with what there is; nothing new is given. */
  stop(): void {
    this.stopped = true;
    this.watching?.cancel();
    this.assigning?.cancel();
    for (const session of this.sessions.values()) session.release?.();
  }

  has(attemptId: Id): boolean {
    return this.entries.has(attemptId);
  }

  /** An attempt has started: whoever is next gets it. With `recovering` it may be with a session that has not been heard yet. */
  offer(task: Task, phase: 'waiting' | 'recovering' = 'waiting'): void {
    if (this.stopped || this.entries.has(task.attemptId)) return;
    const entry: Entry = { task, phase, session: undefined, givenSeq: Infinity, takenAt: 0, renewedAt: 0, lapsing: false };
    this.entries.set(task.attemptId, entry);
    if (phase === 'waiting') this.enqueue(entry);
  }

  /** The attempt is over, however it ended. */
  close(attemptId: Id): void {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return;
    this.entries.delete(attemptId);
    entry.session?.has.delete(attemptId);
    entry.phase = 'given'; // A queue that still lists it passes over it.
    this.closed.set(attemptId, entry.task.runId);
  }

  async exchange(ns: string, frame: ExchangeRequest): Promise<ExchangeResponse> {
    const now = this.options.clock.monotonicMs();
    if (frame.replaces !== undefined && frame.replaces !== frame.session) this.endSession(frame.replaces, 'its session was replaced');
    const session = this.sessionFor(ns, frame, now);
    session.release?.(); // The newer frame is the one to answer with what comes next.
    session.busy += 1;
    const accepted: string[] = [];
    const late: string[] = [];
    try {
      if (frame.replies.length > 0) await this.recordAll(frame.replies, accepted, late);
      this.assignNow();
    } finally {
      session.busy -= 1;
    }
    if (accepted.length === 0 && late.length === 0 && session.outbox.length === 0 && !this.stopped) await this.hold(session);
    const answeredAt = this.options.clock.monotonicMs();
    session.lastBeat = answeredAt;
    return { seq: frame.seq, accepted, late, forwarded: [], tasks: session.collect(frame.seq, answeredAt) };
  }

  async poll(
    ns: string,
    queue: string,
    options: { readonly max: number; readonly waitMs: number },
  ): Promise<readonly CloudEvent<TaskData>[]> {
    const work = this.queueOf(ns, queue);
    const taken: Entry[] = [];
    for (let entry = work.shift(); entry !== undefined; entry = work.shift()) {
      taken.push(entry);
      entry.phase = 'given';
      if (taken.length >= options.max) break;
    }
    if (taken.length === 0 && options.waitMs > 0 && !this.stopped) taken.push(...(await this.waitForTask(work, options)));
    const now = this.options.clock.monotonicMs();
    return taken.map((entry) => {
      this.markGiven(entry, undefined, now);
      return entry.task.event;
    });
  }

  heartbeat(_ns: string, attemptId: Id): Promise<boolean> {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return Promise.resolve(false);
    entry.renewedAt = this.options.clock.monotonicMs();
    if (entry.phase !== 'given') this.markGiven(entry, undefined, entry.renewedAt); // Known to be with somebody after all.
    return Promise.resolve(true);
  }

  reply(_ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<ReplyOutcome> {
    const runId = this.runOf(attemptId, reply);
    return runId === undefined ? Promise.resolve('late') : this.options.record(runId, reply);
  }

  private async recordAll(replies: readonly CloudEvent<ReplyData>[], accepted: string[], late: string[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      replies.map((reply) => {
        const runId = this.runOf(reply.data?.lease.attemptId ?? '', reply);
        return runId === undefined ? Promise.resolve<ReplyOutcome>('late') : this.options.record(runId, reply);
      }),
    );
    outcomes.forEach((outcome, i) => {
      const reply = replies[i];
      if (reply === undefined || outcome.status === 'rejected') return; // Not accepted: the session sends it again.
      (outcome.value === 'accepted' ? accepted : late).push(reply.id);
    });
  }

  private runOf(attemptId: Id, reply: CloudEvent<ReplyData>): Id | undefined {
    return this.entries.get(attemptId)?.task.runId ?? this.closed.get(attemptId) ?? reply.cairnrun;
  }

  private sessionFor(ns: string, frame: ExchangeRequest, now: number): Session {
    let session = this.sessions.get(frame.session);
    if (session === undefined) {
      session = new Session(frame.session, ns, now);
      this.sessions.set(frame.session, session);
    }
    for (const attemptId of frame.held) {
      const entry = this.entries.get(attemptId);
      if (entry !== undefined && entry.session === undefined) this.markGiven(entry, session, now);
    }
    for (const missing of session.hear(frame, now)) {
      missing.givenSeq = Infinity;
      session.outbox.push(missing);
    }
    for (const queue of session.free.keys()) {
      const work = this.queueOf(ns, queue);
      work.join(session);
      this.toAssign.add(work);
    }
    return session;
  }

  private markGiven(entry: Entry, session: Session | undefined, now: number): void {
    entry.phase = 'given';
    entry.session = session;
    entry.givenSeq = 0; // The session has named it itself.
    entry.takenAt = now;
    entry.renewedAt = now;
    session?.has.set(entry.task.attemptId, entry);
  }

  private hold(session: Session): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        timer.cancel();
        if (session.release === release) session.release = undefined;
        resolve();
      };
      const timer = this.options.clock.after(FRAME_HOLD_MS, release);
      session.release = release;
    });
  }

  private waitForTask(work: WorkQueue, options: { readonly max: number; readonly waitMs: number }): Promise<readonly Entry[]> {
    return new Promise((resolve) => {
      const poller: Poller = {
        max: options.max,
        take: (entries) => {
          timer.cancel();
          work.endPoll(poller);
          resolve(entries);
        },
      };
      const timer = this.options.clock.after(options.waitMs, () => poller.take([]));
      work.poll(poller);
    });
  }

  private queueOf(ns: string, queue: string): WorkQueue {
    const key = `${ns}/${queue}`;
    let work = this.queues.get(key);
    if (work === undefined) {
      work = new WorkQueue(queue);
      this.queues.set(key, work);
    }
    return work;
  }

  private enqueue(entry: Entry): void {
    const work = this.queueOf(entry.task.ns, entry.task.queue);
    work.push(entry);
    this.toAssign.add(work);
    this.assigning ??= this.options.clock.after(0, () => this.assignNow()); // Once a tick: tasks of one commit leave in one frame.
  }

  private assignNow(): void {
    this.assigning?.cancel();
    this.assigning = undefined;
    const touched = new Set<Session>();
    for (const work of this.toAssign) this.assign(work, touched);
    this.toAssign.clear();
    for (const session of touched) session.release?.();
  }

  private assign(work: WorkQueue, touched: Set<Session>): void {
    for (let entry = work.shift(); entry !== undefined; entry = work.shift()) {
      const session = work.nextSession();
      if (session !== undefined) {
        entry.phase = 'given';
        entry.session = session;
        session.give(entry);
        touched.add(session);
        continue;
      }
      const poller = work.nextPoller();
      if (poller === undefined) return work.unshift(entry);
      const batch = [entry];
      entry.phase = 'given';
      while (batch.length < poller.max) {
        const more = work.shift();
        if (more === undefined) break;
        more.phase = 'given';
        batch.push(more);
      }
      poller.take(batch);
    }
  }

  private watch(): void {
    this.watching = this.options.clock.after(WATCH_INTERVAL_MS, () => {
      const now = this.options.clock.monotonicMs();
      // A look that comes late was held up here, not by the handlers: their beats may lie unread in a socket.
      if (now - this.lastLook < 2 * WATCH_INTERVAL_MS) this.look(now);
      this.lastLook = now;
      if (!this.stopped) this.watch();
    });
  }

  private look(now: number): void {
    for (const session of this.sessions.values()) {
      const alive = session.release !== undefined || session.busy > 0;
      if (!alive && now - session.lastBeat > SESSION_PATIENCE_MS) this.endSession(session.id, 'its session missed three beats');
    }
    const recovered = now - this.startedAt > SESSION_PATIENCE_MS;
    for (const entry of this.entries.values()) {
      if (entry.phase === 'recovering' && recovered) {
        entry.phase = 'waiting';
        this.enqueue(entry);
      } else if (entry.phase === 'given' && entry.givenSeq !== Infinity && !entry.lapsing) {
        if (now - entry.takenAt > entry.task.timeoutMs) this.lapse(entry, 'timeout', `no reply within ${entry.task.timeoutMs} ms`);
        else if (now - entry.renewedAt > entry.task.leaseMs) this.lapse(entry, 'lease', `no heartbeat within ${entry.task.leaseMs} ms`);
      }
    }
  }

  private endSession(id: Id, message: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    for (const queue of session.free.keys()) this.queueOf(session.ns, queue).leave(session);
    session.release?.();
    for (const entry of [...session.has.values()]) {
      if (entry.givenSeq === Infinity)
        this.giveBack(entry); // It never left.
      else this.lapse(entry, 'lease', message);
    }
    session.has.clear();
  }

  private giveBack(entry: Entry): void {
    entry.session = undefined;
    entry.phase = 'waiting';
    this.enqueue(entry);
  }

  private lapse(entry: Entry, by: 'lease' | 'timeout', message: string): void {
    if (entry.lapsing) return;
    entry.lapsing = true;
    this.options.lapse(entry.task, by, message).then(
      () => this.close(entry.task.attemptId),
      () => {
        entry.lapsing = false; // Judged anew at the next look: the lease has run out all the same.
        entry.renewedAt = Number.NEGATIVE_INFINITY;
        this.options.metrics.count('cairn_lapse_faults_total');
      },
    );
  }
}
