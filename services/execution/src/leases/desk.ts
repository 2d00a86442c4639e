import {
  BEAT_MS,
  BEATS_MISSED_MAX,
  FRAME_HOLD_MS,
  HANG_UP_GRACE_MS,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type QueueView,
  type ReplyData,
  type TaskData,
  type WorkDesk,
} from '@cairn/contracts';
import { Generations } from '@cairn/application';
import type { Id } from '@cairn/kernel';
import type { Clock, Metrics, Timer } from '@cairn/ports';
import { Assignment } from './assignment.js';
import { isPollNonce, type ClaimAnswer } from './claim.js';
import { Claims, type ClaimsOptions } from './claims.js';
import { isOut, mayHold, newEntry, type Entry } from './entry.js';
import { OpenFrame } from './open-frame.js';
import { Session } from './session.js';
import type { Task } from './task.js';
import type { Poller, WorkQueue } from './work-queue.js';

/**
 * How often leases and beats are looked at: a session that falls silent is seen within two seconds of its last frame. One whose
 * connection is cut has a timer of its own.
 */
const WATCH_INTERVAL_MS = 250;
/** Closed attempts whose run is remembered, so that a late reply without its run's name still finds its way. */
const CLOSED_REMEMBERED_MAX = 20_000;
/** A session that has missed so many beats is dead. */
const SESSION_PATIENCE_MS = BEAT_MS * BEATS_MISSED_MAX;
/** After a start nobody can be heard before the doors are open: so long at most before silence counts against a session that holds a claim. */
const DOORS_PATIENCE_MS = 5_000;
/** After a claim that got no answer, or whose run is paused, it is asked for again after this pause. */
const CLAIM_AGAIN_MS = 250;
/** Who polls without a name, as people are told. */
const POLLER = 'poll';

export type ReplyOutcome = 'accepted' | 'late';

export interface DeskOptions extends ClaimsOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Records a reply. Resolves after its append; rejects with a fault: the handler sends it again. */
  readonly record: (runId: Id, reply: CloudEvent<ReplyData>) => Promise<ReplyOutcome>;
  /** Records that an attempt's lease ran out. Resolves when that is durable or was too late; rejects: judged anew at the next look. */
  readonly lapse: (task: Task, by: 'lease' | 'timeout', message: string) => Promise<void>;
}

/** What is known of an attempt that is offered. */
export interface OfferContext {
  /** The service has just started: a session that has not been heard yet may have it. */
  readonly recovering?: boolean;
  /** Its run is paused: it is kept until `unpause`. */
  readonly paused?: boolean;
}

/**
 * Where handlers get work and leave results. Holds what follows from the history and can be had from it again: open attempts, who
 * has them, until when. A lease runs from taking: what nobody has taken waits here and is never failed. What must be claimed leaves
 * only with a grant on record, and what was granted is never offered to another (`architecture.md` §4.2).
 */
export class Desk implements WorkDesk {
  private readonly entries = new Map<Id, Entry>();
  private readonly sessions = new Map<Id, Session>();
  private readonly closed = new Generations<Id, Id>(CLOSED_REMEMBERED_MAX);
  private readonly assignment: Assignment;
  private readonly claims: Claims;
  private readonly clock: Clock;
  private watching: Timer | undefined;
  private lastLook: number;
  private stopped = false;
  /** Monotonic: from then on the sessions that live have been heard. */
  private sessionsHeardBy: number;
  private isSpokenTo = false;

  constructor(private readonly options: DeskOptions) {
    this.clock = options.clock;
    this.claims = new Claims(options);
    this.assignment = new Assignment(options.clock, (entry, session) => this.give(entry, session));
    this.lastLook = this.clock.monotonicMs();
    this.sessionsHeardBy = this.lastLook + DOORS_PATIENCE_MS;
    this.watch();
  }

  /** Open frames and polls are answered with what there is; nothing new is given. */
  stop(): void {
    this.stopped = true;
    this.watching?.cancel();
    this.assignment.stop();
    for (const session of this.sessions.values()) {
      session.grace?.cancel();
      session.release?.();
    }
  }

  has(attemptId: Id): boolean {
    return this.entries.has(attemptId);
  }

  /** An attempt is open: whoever is next gets it, unless somebody may have it already. */
  offer(task: Task, { recovering = false, paused = false }: OfferContext = {}): void {
    if (this.stopped || this.entries.has(task.attemptId)) return;
    const recoverBy = this.clock.monotonicMs() + patienceFor(task, recovering);
    const entry = newEntry(task, recovering || task.nonce !== undefined ? 'recovering' : 'waiting', paused, recoverBy);
    this.entries.set(task.attemptId, entry);
    if (entry.phase === 'waiting') this.assignment.enqueue(entry);
  }

  /** The attempt is over, however it ended. */
  close(attemptId: Id): void {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return;
    this.entries.delete(attemptId);
    entry.session?.drop(entry);
    entry.phase = 'given'; // A queue that still lists it passes over it.
    this.closed.set(attemptId, entry.task.runId);
  }

  /** Its run is paused: nobody new gets the attempt. Whoever has it, or asks for its claim just now, goes on. */
  pause(attemptId: Id): void {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return;
    entry.paused = true;
    if (entry.session === undefined || entry.givenSeq !== Infinity || entry.claiming || entry.grantedTo !== undefined) return;
    entry.session.drop(entry);
    this.assignment.enqueue(entry);
  }

  unpause(attemptId: Id): void {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return;
    entry.paused = false;
    if (entry.phase === 'waiting') this.assignment.enqueue(entry);
  }

  async exchange(ns: string, frame: ExchangeRequest, gone?: AbortSignal): Promise<ExchangeResponse> {
    const session = this.sessionFor(ns, frame);
    session.release?.(); // The newer frame is the one to answer with what comes next.
    const open = new OpenFrame(session, gone, () => this.onHangUp(session));
    const accepted: string[] = [];
    const late: string[] = [];
    let tasks: ExchangeResponse['tasks'] = [];
    try {
      if (frame.replies.length > 0) {
        await this.recordAll(frame.replies, accepted, late);
        if (!open.isCut) session.lastBeat = this.clock.monotonicMs(); // It was held up here.
      }
      this.assignment.assignNow();
      const isNews = accepted.length > 0 || late.length > 0 || session.outbox.length > 0;
      if (!isNews && !open.isCut && !this.stopped) await this.hold(session, open);
      // What its session was given stays for its next frame if nobody is there to take it.
      if (!open.isCut) tasks = session.collect(frame.seq, this.clock.monotonicMs());
    } finally {
      open.end();
    }
    return { seq: frame.seq, accepted, late, forwarded: [], tasks };
  }

  async poll(
    ns: string,
    queue: string,
    options: { readonly max: number; readonly waitMs: number; readonly session?: Id; readonly gone?: AbortSignal },
  ): Promise<readonly CloudEvent<TaskData>[]> {
    const { gone, session: handler = POLLER } = options;
    this.spokenTo();
    const work = this.assignment.queueOf(ns, queue);
    let taken = this.stopped ? [] : this.assignment.take(work, options.max);
    if (taken.length === 0 && options.waitMs > 0 && !this.stopped) taken = await this.waitForTask(work, options);
    if (gone?.aborted !== true && taken.some(({ task }) => task.claim)) taken = await this.claimForPoll(taken, handler);
    const now = this.clock.monotonicMs();
    work.polledAt = now;
    const leaving = taken.filter((entry) => this.entries.get(entry.task.attemptId) === entry);
    const kept = gone?.aborted === true ? leaving.filter(({ grantedTo }) => grantedTo !== undefined) : leaving;
    for (const entry of leaving) {
      entry.holder = handler;
      // Whoever polled has hung up: what was granted lapses by its lease, the rest nobody has.
      if (kept.includes(entry)) this.markGiven(entry, undefined, now);
      else this.assignment.enqueue(entry);
    }
    return gone?.aborted === true ? [] : kept.map(({ task }) => task.event);
  }

  queue(ns: string, queue: string): QueueView {
    let waiting = 0;
    for (const { phase, task } of this.entries.values()) if (phase === 'waiting' && task.ns === ns && task.queue === queue) waiting += 1;
    return { handlers: this.assignment.queueOf(ns, queue).handlers(this.clock.monotonicMs() - SESSION_PATIENCE_MS), waiting };
  }

  holder(attemptId: Id): string | undefined {
    const entry = this.entries.get(attemptId);
    return entry !== undefined && isOut(entry) ? entry.holder : undefined;
  }

  heartbeat(_ns: string, attemptId: Id): Promise<boolean> {
    const entry = this.entries.get(attemptId);
    if (entry === undefined) return Promise.resolve(false);
    if (entry.task.claim && entry.grantedTo === undefined) return Promise.resolve(true); // Open, but not with whoever says this.
    entry.renewedAt = this.clock.monotonicMs();
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

  private sessionFor(ns: string, frame: ExchangeRequest): Session {
    const now = this.clock.monotonicMs();
    this.spokenTo();
    if (frame.replaces !== undefined && frame.replaces !== frame.session) this.endSession(frame.replaces, 'its session was replaced');
    const session = this.sessions.get(frame.session) ?? this.newSession(ns, frame, now);
    for (const attemptId of frame.held) {
      const entry = this.entries.get(attemptId);
      if (entry === undefined || entry.session !== undefined || !mayHold(entry, session.id)) continue;
      this.markGiven(entry, session, now);
      entry.holder = frame.handler;
    }
    for (const missing of session.hear(frame, now)) {
      missing.givenSeq = Infinity;
      this.send(missing, session);
    }
    this.assignment.join(session);
    return session;
  }

  /** A session that is heard for the first time here; after a restart it may be one that claims were granted to. */
  private newSession(ns: string, frame: ExchangeRequest, now: number): Session {
    const session = new Session(frame.session, ns, now);
    this.sessions.set(session.id, session);
    for (const entry of this.entries.values()) {
      if (entry.phase !== 'recovering' || entry.grantedTo === undefined) continue;
      if (entry.grantedTo === frame.replaces) this.lapse(entry, 'lease', 'its session was replaced');
      if (entry.grantedTo !== session.id) continue;
      // If it does not say so itself, the answer that held the grant may have been lost: as with any task, it goes again.
      this.markGiven(entry, session, now);
      entry.givenSeq = frame.seq;
    }
    return session;
  }

  /** The first that is heard after a start says that the doors are open. */
  private spokenTo(): void {
    if (this.isSpokenTo) return;
    this.isSpokenTo = true;
    this.sessionsHeardBy = Math.min(this.sessionsHeardBy, this.clock.monotonicMs() + SESSION_PATIENCE_MS);
  }

  private markGiven(entry: Entry, session: Session | undefined, now: number): void {
    entry.phase = 'given';
    entry.session = session;
    entry.givenSeq = 0; // Whoever has it has named it.
    entry.takenAt = now;
    entry.renewedAt = now;
    entry.holder ??= session?.handler ?? POLLER;
    session?.has.set(entry.task.attemptId, entry);
  }

  private hold(session: Session, open: OpenFrame): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        timer.cancel();
        if (session.release === release) session.release = undefined;
        resolve();
      };
      const timer = this.clock.after(FRAME_HOLD_MS, release);
      session.release = release;
      open.held(release);
    });
  }

  private waitForTask(
    work: WorkQueue,
    options: { readonly max: number; readonly waitMs: number; readonly gone?: AbortSignal },
  ): Promise<Entry[]> {
    const { gone } = options;
    return new Promise((resolve) => {
      const hungUp = (): void => poller.take([]);
      const poller: Poller = {
        max: options.max,
        take: (entries) => {
          timer.cancel();
          gone?.removeEventListener('abort', hungUp);
          work.endPoll(poller);
          resolve([...entries]);
        },
      };
      const timer = this.clock.after(options.waitMs, () => poller.take([]));
      if (gone?.aborted === true) return poller.take([]);
      gone?.addEventListener('abort', hungUp);
      work.poll(poller);
    });
  }

  /** The entry is the session's. Says whether it waits in its outbox. */
  private give(entry: Entry, session: Session): boolean {
    session.assign(entry);
    return this.send(entry, session);
  }

  /** What need not be claimed leaves with the session's next answer, what must be as soon as that is granted. */
  private send(entry: Entry, session: Session): boolean {
    if (entry.task.claim) void this.claimForSession(entry, session);
    else session.outbox.push(entry);
    return !entry.task.claim;
  }

  private async claimForSession(entry: Entry, { id, handler }: Session): Promise<void> {
    const answer = await this.claims.ask(entry, handler, id);
    if (this.entries.get(entry.task.attemptId) !== entry) return; // Over meanwhile.
    if (answer.kind !== 'granted') return this.notGranted(entry, answer);
    const session = this.sessions.get(id);
    if (session === undefined) return this.lapse(entry, 'lease', 'its session ended before the task had left');
    if (entry.session !== session) session.assign(entry);
    session.outbox.push(entry);
    session.release?.();
  }

  private async claimForPoll(taken: readonly Entry[], handler: string): Promise<Entry[]> {
    const granted = await Promise.all(
      taken.map(async (entry) => {
        if (!entry.task.claim) return true;
        const answer = await this.claims.ask(entry, handler);
        if (this.entries.get(entry.task.attemptId) !== entry) return false;
        if (answer.kind !== 'granted') this.notGranted(entry, answer);
        return answer.kind === 'granted';
      }),
    );
    return taken.filter((_, i) => granted[i]);
  }

  private notGranted(entry: Entry, answer: ClaimAnswer): void {
    if (answer.kind === 'over') this.close(entry.task.attemptId);
    else if (answer.kind === 'taken') this.takenBy(entry, answer.nonce);
    else if (entry.paused && entry.grantedTo === undefined) {
      entry.session?.drop(entry);
      this.assignment.enqueue(entry);
    } else this.clock.after(CLAIM_AGAIN_MS, () => this.claimAgain(entry));
  }

  private claimAgain(entry: Entry): void {
    const isIdle = entry.phase === 'given' && entry.givenSeq === Infinity && !entry.claiming;
    if (this.stopped || !isIdle || this.entries.get(entry.task.attemptId) !== entry) return;
    if (entry.session === undefined) this.assignment.enqueue(entry);
    else void this.claimForSession(entry, entry.session);
  }

  /** The claim on record is not the one that was asked for: it is for whoever holds that nonce, and for nobody else ever. */
  private takenBy(entry: Entry, nonce: string): void {
    entry.session?.drop(entry);
    const session = this.sessions.get(nonce);
    if (session !== undefined) this.give(entry, session);
    else if (nonce === entry.doubtful) this.lapse(entry, 'lease', 'whoever it was granted to is gone');
    else {
      entry.phase = 'recovering'; // Another replica has granted it, and judges its lease.
      entry.recoverBy = this.clock.monotonicMs() + entry.task.timeoutMs;
    }
  }

  private watch(): void {
    this.watching = this.clock.after(WATCH_INTERVAL_MS, () => {
      const now = this.clock.monotonicMs();
      // A look that comes late was held up here, not by the handlers: their beats may lie unread in a socket.
      if (now - this.lastLook < 2 * WATCH_INTERVAL_MS) this.look(now);
      this.lastLook = now;
      if (!this.stopped) this.watch();
    });
  }

  private look(now: number): void {
    for (const session of this.sessions.values()) {
      if (session.frames === 0 && now - session.lastBeat > SESSION_PATIENCE_MS)
        this.endSession(session.id, 'its session missed three beats');
    }
    for (const entry of this.entries.values()) {
      if (entry.lapsing) continue;
      const { timeoutMs, leaseMs } = entry.task;
      if (entry.phase === 'recovering') this.recover(entry, now);
      else if (!isOut(entry)) continue;
      else if (now - entry.takenAt > timeoutMs) this.lapse(entry, 'timeout', `no reply within ${timeoutMs} ms`);
      else if (now - entry.renewedAt > leaseMs) this.lapse(entry, 'lease', `no heartbeat within ${leaseMs} ms`);
    }
  }

  /** Nobody says to have it. What was never granted is anybody's; what was is lost, since whoever had it may have acted (I-17). */
  private recover(entry: Entry, now: number): void {
    if (now <= entry.recoverBy) return;
    if (entry.grantedTo === undefined) this.assignment.enqueue(entry);
    else if (isPollNonce(entry.grantedTo) || now > this.sessionsHeardBy) this.lapse(entry, 'lease', 'whoever it was granted to is gone');
  }

  /** A session whose last frame was cut off has a moment to come back with another one. */
  private onHangUp(session: Session): void {
    if (session.frames > 0 || this.stopped || this.sessions.get(session.id) !== session) return;
    const due = this.clock.monotonicMs() + HANG_UP_GRACE_MS;
    session.grace?.cancel();
    session.grace = this.clock.after(HANG_UP_GRACE_MS, () => {
      if (this.clock.monotonicMs() - due > WATCH_INTERVAL_MS)
        this.onHangUp(session); // Late: its next frame may lie unread in a socket.
      else this.endSession(session.id, 'its connection was cut');
    });
  }

  private endSession(id: Id, message: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    session.grace?.cancel();
    this.assignment.leave(session);
    const had = [...session.has.values()];
    session.has.clear();
    session.outbox = [];
    session.release?.();
    for (const entry of had) {
      entry.session = undefined;
      if (entry.claiming) continue; // Whoever asks will see that the session is gone.
      if (isOut(entry) || entry.grantedTo !== undefined) this.lapse(entry, 'lease', message);
      else this.assignment.enqueue(entry); // It never left.
    }
  }

  private lapse(entry: Entry, by: 'lease' | 'timeout', message: string): void {
    if (entry.lapsing) return;
    entry.lapsing = true;
    this.options.lapse(entry.task, by, message).then(
      () => this.close(entry.task.attemptId),
      () => {
        entry.lapsing = false; // Judged anew at the next look: the lease has run out all the same.
        entry.renewedAt = Number.NEGATIVE_INFINITY;
        entry.recoverBy = Number.NEGATIVE_INFINITY;
        if (!isOut(entry)) entry.phase = 'recovering';
        this.options.metrics.count('cairn_lapse_faults_total');
      },
    );
  }
}

/** How long an attempt that somebody may have waits to be spoken of. One that another replica granted is judged there, or by its time-out. */
function patienceFor({ nonce, leaseMs, timeoutMs }: Task, recovering: boolean): number {
  if (!recovering) return timeoutMs;
  return nonce !== undefined && isPollNonce(nonce) ? leaseMs : SESSION_PATIENCE_MS;
}
