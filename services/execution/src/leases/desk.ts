import type { CloudEvent, ExchangeRequest, ExchangeResponse, HangUp, QueueView, ReplyData, TaskData, WorkDesk } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock, Timer } from '@cairn/ports';
import { Assignment } from './assignment.js';
import { Books, type BooksOptions } from './books.js';
import { isPollNonce } from './claim.js';
import { Claims, type ClaimsOptions } from './claims.js';
import { isOut, newEntry } from './entry.js';
import type { Entry, Session } from './session.js';
import { SESSION_PATIENCE_MS, Sessions } from './sessions.js';
import type { Task } from './task.js';
import type { Poller, WorkQueue } from './work-queue.js';

/**
 * How often leases and beats are looked at: a session that falls silent is seen within two seconds of its last frame. One whose
 * connection is cut has a timer of its own.
 */
const WATCH_INTERVAL_MS = 250;
/** After a start nobody can be heard before the doors are open: so long at most before silence counts against a session that holds a claim. */
const DOORS_PATIENCE_MS = 5_000;
/** Who polls without a name, as people are told. */
const POLLER = 'poll';

export type ReplyOutcome = 'accepted' | 'late';

export interface DeskOptions extends ClaimsOptions, BooksOptions {
  /** Records a reply. Resolves after its append; rejects with a fault: the handler sends it again. */
  readonly record: (runId: Id, reply: CloudEvent<ReplyData>) => Promise<ReplyOutcome>;
}

/** What is known of an attempt that is offered. */
export interface OfferContext {
  /** The service has just started: a session that has not been heard yet may have it. */
  readonly recovering?: boolean;
  /** Its run is paused: it is kept until `unpause`. */
  readonly paused?: boolean;
}

interface PollOptions {
  readonly max: number;
  readonly waitMs: number;
  readonly session?: Id;
  readonly gone?: HangUp;
}

/**
 * Where handlers get work and leave results. Holds what follows from the history and can be had from it again: open attempts, who
 * has them, until when. A lease runs from taking: what nobody has taken waits here and is never failed (`architecture.md` §4.2).
 */
export class Desk implements WorkDesk {
  private readonly books: Books;
  private readonly assignment: Assignment;
  private readonly sessions: Sessions;
  private readonly claims: Claims;
  private readonly clock: Clock;
  private watching: Timer | undefined;
  private lastLook: number;
  private stopped = false;
  /** Monotonic: by then every session that lives has been heard. */
  private sessionsHeardBy: number;
  private isSpokenTo = false;

  constructor(private readonly options: DeskOptions) {
    const { clock } = options;
    this.clock = clock;
    this.books = new Books(options);
    this.assignment = new Assignment(clock, (entry, session) => {
      session.assign(entry);
      return this.send(entry, session);
    });
    const { books, assignment } = this;
    this.sessions = new Sessions({ clock, books, assignment, send: (entry, session) => this.send(entry, session) });
    this.claims = new Claims(options, { books, assignment, sessionOf: (id) => this.sessions.get(id) });
    this.lastLook = clock.monotonicMs();
    this.sessionsHeardBy = this.lastLook + DOORS_PATIENCE_MS;
    this.watch();
  }

  /** Open frames and polls are answered with what there is; nothing new is given. */
  stop(): void {
    this.stopped = true;
    this.watching?.cancel();
    this.assignment.stop();
    this.sessions.stop();
  }

  has(attemptId: Id): boolean {
    return this.books.get(attemptId) !== undefined;
  }

  /** An attempt is open: whoever is next gets it, unless somebody may have it already. */
  offer(task: Task, { recovering = false, paused = false }: OfferContext = {}): void {
    if (this.stopped || this.has(task.attemptId)) return;
    const recoverBy = this.clock.monotonicMs() + patienceFor(task, recovering);
    const entry = newEntry(task, recovering || task.nonce !== undefined ? 'recovering' : 'waiting', paused, recoverBy);
    this.books.add(entry);
    if (entry.phase === 'waiting') this.assignment.enqueue(entry);
  }

  /** The attempt is over, however it ended. */
  close(attemptId: Id): void {
    this.books.close(attemptId);
  }

  /** Its run is paused: nobody new gets the attempt. Whoever has it, or asks for its claim just now, goes on. */
  pause(attemptId: Id): void {
    const entry = this.books.get(attemptId);
    if (entry === undefined) return;
    entry.paused = true;
    if (entry.session === undefined || isOut(entry) || entry.claiming || entry.grantedTo !== undefined) return;
    entry.session.drop(entry);
    this.assignment.enqueue(entry);
  }

  unpause(attemptId: Id): void {
    const entry = this.books.get(attemptId);
    if (entry === undefined) return;
    entry.paused = false;
    if (entry.phase === 'waiting') this.assignment.enqueue(entry);
  }

  async exchange(ns: string, frame: ExchangeRequest, gone?: HangUp): Promise<ExchangeResponse> {
    this.spokenTo();
    const session = this.sessions.heard(ns, frame);
    const open = this.sessions.open(session, gone);
    const accepted: string[] = [];
    const late: string[] = [];
    let tasks: ExchangeResponse['tasks'] = [];
    try {
      if (frame.replies.length > 0) {
        await this.recordAll(ns, frame.replies, accepted, late);
        if (!open.isCut) session.lastBeat = this.clock.monotonicMs(); // It was held up here.
      }
      this.assignment.assignNow();
      const isNews = accepted.length > 0 || late.length > 0 || session.outbox.length > 0;
      if (!isNews && !open.isCut && !this.stopped) await this.sessions.hold(session, open);
      // Where nobody is left to take it, what its session was given stays for its next frame.
      if (!open.isCut) tasks = session.collect(frame.seq, this.clock.monotonicMs());
    } finally {
      open.end();
    }
    return { seq: frame.seq, accepted, late, forwarded: [], tasks };
  }

  lostConnection(session: Id): void {
    this.sessions.lostConnection(session);
  }

  async poll(ns: string, queue: string, options: PollOptions): Promise<readonly CloudEvent<TaskData>[]> {
    const { session: handler = POLLER } = options;
    const isGone = (): boolean => options.gone?.aborted === true;
    this.spokenTo();
    const work = this.assignment.queueOf(ns, queue);
    let taken: readonly Entry[] = this.stopped ? [] : this.assignment.take(work, options.max);
    if (taken.length === 0 && options.waitMs > 0 && !this.stopped) taken = await this.waitForTask(work, options);
    if (!isGone() && taken.some(({ task }) => task.claim)) taken = await this.claims.forPoll(taken, handler);
    const now = this.clock.monotonicMs();
    work.polledAt = now;
    const leaving = taken.filter((entry) => this.books.isOpen(entry));
    for (const entry of leaving) {
      // Whoever polled has hung up: what was granted lapses by its lease, the rest nobody has.
      if (isGone() && entry.grantedTo === undefined) this.assignment.enqueue(entry);
      else this.books.markGiven(entry, undefined, handler, now);
    }
    return isGone() ? [] : leaving.map(({ task }) => task.event);
  }

  queue(ns: string, queue: string): Promise<QueueView> {
    let waiting = 0;
    for (const { phase, task } of this.books.entries()) if (phase === 'waiting' && task.ns === ns && task.queue === queue) waiting += 1;
    const handlers = this.assignment.queueOf(ns, queue).handlers(this.clock.monotonicMs() - SESSION_PATIENCE_MS);
    return Promise.resolve({ handlers, waiting });
  }

  holder(attemptId: Id): Promise<string | undefined> {
    const entry = this.books.get(attemptId);
    return Promise.resolve(entry !== undefined && isOut(entry) ? entry.holder : undefined);
  }

  heartbeat(_ns: string, attemptId: Id): Promise<boolean> {
    const entry = this.books.get(attemptId);
    if (entry === undefined) return Promise.resolve(false);
    if (entry.task.claim && entry.grantedTo === undefined) return Promise.resolve(true); // Open, but not with whoever says this.
    entry.renewedAt = this.clock.monotonicMs();
    if (entry.phase !== 'given') this.books.markGiven(entry, undefined, POLLER, entry.renewedAt); // Known to be with somebody after all.
    return Promise.resolve(true);
  }

  reply(_ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<ReplyOutcome> {
    const runId = this.books.runOf(attemptId) ?? reply.cairnrun;
    return runId === undefined ? Promise.resolve('late') : this.options.record(runId, reply);
  }

  private async recordAll(ns: string, replies: readonly CloudEvent<ReplyData>[], accepted: string[], late: string[]): Promise<void> {
    const outcomes = await Promise.allSettled(replies.map((reply) => this.reply(ns, reply.data?.lease.attemptId ?? '', reply)));
    outcomes.forEach((outcome, i) => {
      const reply = replies[i];
      if (reply === undefined || outcome.status === 'rejected') return; // Not accepted: the session sends it again.
      (outcome.value === 'accepted' ? accepted : late).push(reply.id);
    });
  }

  /** The first that is heard after a start says that the doors are open. */
  private spokenTo(): void {
    if (this.isSpokenTo) return;
    this.isSpokenTo = true;
    this.sessionsHeardBy = Math.min(this.sessionsHeardBy, this.clock.monotonicMs() + SESSION_PATIENCE_MS);
  }

  /** What need not be claimed leaves with the session's next answer, what must be as soon as that is granted. Says whether it can leave now. */
  private send(entry: Entry, session: Session): boolean {
    if (entry.task.claim) void this.claims.forSession(entry, session);
    else session.outbox.push(entry);
    return !entry.task.claim;
  }

  private waitForTask(work: WorkQueue, { max, waitMs, gone }: PollOptions): Promise<readonly Entry[]> {
    return new Promise((resolve) => {
      const hungUp = (): void => poller.take([]);
      const poller: Poller = {
        max,
        take: (entries) => {
          timer.cancel();
          gone?.removeEventListener('abort', hungUp);
          work.endPoll(poller);
          resolve(entries);
        },
      };
      const timer = this.clock.after(waitMs, hungUp);
      gone?.addEventListener('abort', hungUp);
      work.poll(poller);
      if (gone?.aborted === true) hungUp();
    });
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
    this.sessions.endSilent(now);
    for (const entry of this.books.entries()) {
      if (entry.lapsing) continue;
      const { timeoutMs, leaseMs } = entry.task;
      if (entry.phase === 'recovering') this.recover(entry, now);
      else if (!isOut(entry)) continue;
      else if (now - (entry.takenAt ?? now) > timeoutMs) this.books.lapse(entry, 'timeout', `no reply within ${timeoutMs} ms`);
      else if (now - entry.renewedAt > leaseMs) this.books.lapse(entry, 'lease', `no heartbeat within ${leaseMs} ms`);
    }
  }

  /** Nobody says to have it. What was never granted is anybody's; what was is lost, since whoever had it may have acted (I-17). */
  private recover(entry: Entry, now: number): void {
    if (now <= entry.recoverBy) return;
    if (entry.grantedTo === undefined) this.assignment.enqueue(entry);
    else if (isPollNonce(entry.grantedTo) || now > this.sessionsHeardBy)
      this.books.lapse(entry, 'lease', 'whoever it was granted to is gone');
  }
}

/** How long an attempt that somebody may have waits to be spoken of. One that another replica granted is judged there, or by its time-out. */
function patienceFor({ nonce, leaseMs, timeoutMs }: Task, recovering: boolean): number {
  if (!recovering) return timeoutMs;
  return nonce !== undefined && isPollNonce(nonce) ? leaseMs : SESSION_PATIENCE_MS;
}
