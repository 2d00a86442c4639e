import {
  metricNames,
  ReplyRefused,
  type ClaimRequest,
  type ClaimResponse,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type HangUp,
  type QueueView,
  type ReplyData,
  type TaskData,
  type WorkDesk,
} from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock, Timer } from '@cairn/ports';
import type { Serving } from '../partitions/serving.js';
import { Assignment } from './assignment.js';
import { Books, type BooksOptions } from './books.js';
import { ByMessage } from './by-message.js';
import { Claims, type ClaimsOptions } from './claims.js';
import { isOut, newEntry } from './entry.js';
import { SESSION_PATIENCE_MS } from './patience.js';
import { Polls, type PollOptions } from './polls.js';
import { patienceFor, Recovery } from './recovery.js';
import { Ringer } from './ringer.js';
import type { Entry, Room, Session } from './session.js';
import { Sessions } from './sessions.js';
import { Standing } from './standing.js';
import type { Task } from './task.js';

/**
 * How often leases and beats are looked at: a session that falls silent is seen within two seconds of its last frame. One whose
 * connection is cut has a timer of its own.
 */
const WATCH_INTERVAL_MS = 250;

export type ReplyOutcome = 'accepted' | 'late';

export interface DeskOptions extends ClaimsOptions, BooksOptions {
  /**
   * Records a reply. Resolves after its append; rejects with a fault: the handler sends it again. Throws `ReplyRefused`. `shared`: another
   * handler may have the attempt, too.
   */
  readonly record: (ns: string, runId: Id, reply: CloudEvent<ReplyData>, shared: boolean) => Promise<ReplyOutcome>;
  /** Which runs are this desk's. */
  readonly serving: Serving;
  /** Hands a reply to whoever serves its run. Resolves when the bus has it. */
  readonly forward: (ns: string, runId: Id, reply: CloudEvent<ReplyData>) => Promise<void>;
  /** The same, and resolves with what became of it there. */
  readonly askServer: (ns: string, runId: Id, reply: CloudEvent<ReplyData>) => Promise<ReplyOutcome>;
  /** Puts a task on the bus, where handlers can take it from there. */
  readonly ring?: (task: Task, ring: number) => Promise<void>;
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
 * has them, until when. A lease runs from taking: what nobody has taken waits here and is never failed (`architecture.md` §4.2).
 */
export class Desk implements WorkDesk {
  private readonly books: Books;
  private readonly assignment: Assignment;
  private readonly sessions: Sessions;
  private readonly recovery: Recovery;
  private readonly polls: Polls;
  private readonly byMessage: ByMessage;
  private readonly ringer: Ringer | undefined;
  private readonly standing: Standing;
  private readonly clock: Clock;
  private watching: Timer | undefined;
  private lastLook: number;
  private stopped = false;

  constructor(private readonly options: DeskOptions) {
    const { clock, metrics, claim, fresh, ring } = options;
    this.clock = clock;
    const ringer = ring === undefined ? undefined : new Ringer({ clock, metrics, ring });
    this.ringer = ringer;
    const books = new Books(options);
    this.books = books;
    const give = (entry: Entry, session: Session): boolean => {
      session.assign(entry);
      return send(entry, session);
    };
    const assignment = new Assignment(clock, give, ringer === undefined ? undefined : (entry) => ringer.ring(entry));
    this.assignment = assignment;
    // What need not be claimed leaves with the session's next answer, what must be as soon as that is granted. Says whether it can leave now.
    const send = (entry: Entry, session: Session): boolean => {
      if (entry.task.claim) void claims.forSession(entry, session);
      else session.outbox.push(entry);
      return !entry.task.claim;
    };
    const sessions = new Sessions({ clock, books, assignment, send });
    this.sessions = sessions;
    const claims = new Claims(options, { books, assignment, sessionOf: (id) => sessions.get(id) });
    this.recovery = new Recovery({ clock, books, assignment, sessions, claims }, () => this.judgeRecovering(clock.monotonicMs()));
    this.polls = new Polls({ clock, books, assignment, claims });
    this.byMessage = new ByMessage({ clock, books, claim, fresh });
    this.standing = new Standing(clock, metrics);
    this.lastLook = clock.monotonicMs();
    this.watch();
  }

  /** What waits and since when, as metrics. */
  tellStanding(): void {
    this.standing.tell(this.books.entries());
  }

  /** Open frames and polls are answered with what there is; nothing new is given. */
  stop(): void {
    this.stopped = true;
    this.watching?.cancel();
    this.assignment.stop();
    this.sessions.stop();
  }

  /** Runs of other replicas are this desk's from now on; their attempts are offered next, as `recovering`. */
  takeOver(): void {
    this.recovery.takeOver();
  }

  /** Runs are no longer this desk's: it forgets what it knows of their attempts. Whoever has one goes on. */
  dropWhere(isLost: (runId: Id) => boolean): void {
    for (const entry of this.books.entries()) if (isLost(entry.task.runId)) this.books.drop(entry);
  }

  /** Attempts of the run that this desk has; with a name those of that shadow. */
  of(runId: Id, shadow?: string): readonly Id[] {
    const attemptIds: Id[] = [];
    for (const { task } of this.books.entries())
      if (task.runId === runId && (shadow === undefined || task.shadow === shadow)) attemptIds.push(task.attemptId);
    return attemptIds;
  }

  has(attemptId: Id): boolean {
    return this.books.get(attemptId) !== undefined;
  }

  /** Whether the desk has the attempt, or has had it. */
  knows(attemptId: Id): boolean {
    return this.books.knows(attemptId);
  }

  runOf(attemptId: Id): Id | undefined {
    return this.books.runOf(attemptId);
  }

  /** An attempt is open: whoever is next gets it, unless somebody may have it already. */
  offer(task: Task, { recovering = false, paused = false }: OfferContext = {}): void {
    if (this.stopped || this.has(task.attemptId)) return;
    const phase = recovering || task.nonce !== undefined ? 'recovering' : 'waiting';
    const entry = newEntry(task, phase, paused, this.clock.monotonicMs(), patienceFor(task, recovering));
    this.books.add(entry);
    if (entry.phase === 'waiting') this.assignment.enqueue(entry);
  }

  /** The attempt is over, however it ended. */
  close(attemptId: Id): void {
    this.books.close(attemptId);
  }

  /** An attempt that somebody had and that is still open here: what it took, and how it ended. */
  tellEnd(attemptId: Id, outcome: 'succeeded' | 'failed'): void {
    const entry = this.books.get(attemptId);
    if (entry?.takenAt === undefined) return;
    const { ns, queue } = entry.task;
    const seconds = (this.clock.monotonicMs() - entry.takenAt) / 1_000;
    this.options.metrics.observe(metricNames.attemptDuration, seconds, { ns, queue, outcome });
  }

  /** Its run is paused: nobody new gets the attempt. Whoever has it, or asks for its claim just now, goes on. */
  pause(attemptId: Id): void {
    const entry = this.books.get(attemptId);
    if (entry === undefined) return;
    entry.paused = true;
    if (entry.phase === 'rung') entry.phase = 'waiting'; // Whoever takes the message meanwhile is welcome; nobody else is told.
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

  async exchange(ns: string, frame: ExchangeRequest, gone?: HangUp, room?: Room): Promise<ExchangeResponse> {
    this.recovery.spokenTo();
    const session = this.sessions.heard(ns, frame);
    const open = this.sessions.open(session, gone);
    const answer: Answer = { seq: frame.seq, accepted: [], late: [], forwarded: [], tasks: [] };
    try {
      if (frame.replies.length > 0) {
        await this.recordAll(ns, frame.replies, answer);
        if (!open.isCut) session.lastBeat = this.clock.monotonicMs(); // It was held up here.
      }
      this.assignment.assignNow();
      const isNews = isSettled(answer) || session.outbox.length > 0;
      if (!isNews && !open.isCut && !this.stopped) await this.sessions.hold(session, open, this.recovery.holdMs);
      // Where nobody is left to take it, what its session was given stays for its next frame.
      if (!open.isCut) answer.tasks = session.collect(frame.seq, this.clock.monotonicMs(), room);
    } finally {
      open.end();
    }
    return answer;
  }

  lostConnection(session: Id): void {
    this.sessions.lostConnection(session);
  }

  poll(ns: string, queue: string, options: PollOptions, room?: Room): Promise<readonly CloudEvent<TaskData>[]> {
    this.recovery.spokenTo();
    return this.polls.poll(ns, queue, options, room);
  }

  queue(ns: string, queue: string): Promise<QueueView> {
    let waiting = 0;
    for (const { phase, task } of this.books.entries())
      if ((phase === 'waiting' || phase === 'rung') && task.ns === ns && task.queue === queue) waiting += 1;
    const handlers = this.assignment.queueOf(ns, queue).handlers(this.clock.monotonicMs() - SESSION_PATIENCE_MS);
    return Promise.resolve({ handlers, waiting });
  }

  holder(attemptId: Id): Promise<string | undefined> {
    const entry = this.books.get(attemptId);
    return Promise.resolve(entry !== undefined && isOut(entry) ? entry.holder : undefined);
  }

  heartbeat(ns: string, attemptId: Id, handler?: string): Promise<boolean> {
    return Promise.resolve(this.books.get(attemptId)?.task.ns === ns && this.byMessage.lives(attemptId, handler));
  }

  /** A claim of an attempt that is open here; `undefined`: it is not known to be. */
  claim(ns: string, request: ClaimRequest): Promise<ClaimResponse> | undefined {
    const entry = this.books.get(request.lease.attemptId);
    return entry === undefined || entry.task.ns !== ns ? undefined : this.byMessage.claim(entry, request);
  }

  reply(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<ReplyOutcome> {
    return this.settle(ns, attemptId, reply, this.options.askServer);
  }

  /** A reply that came by the bus, which knows best who is to take it. */
  recordHere(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<ReplyOutcome> {
    return this.settle(ns, attemptId, reply, (_, runId) => this.options.record(ns, runId, reply, true));
  }

  private settle<T>(
    ns: string,
    attemptId: Id,
    reply: CloudEvent<ReplyData>,
    elsewhere: (ns: string, runId: Id, reply: CloudEvent<ReplyData>) => Promise<T>,
  ): Promise<ReplyOutcome | T> {
    const entry = this.books.get(attemptId);
    const runId = this.books.runOf(attemptId) ?? reply.cairnrun;
    if (runId === undefined) return Promise.resolve('late');
    if (!this.options.serving.serves(runId)) return elsewhere(ns, runId, reply);
    return this.options.record(ns, runId, reply, entry?.shared ?? true);
  }

  private forwarded = (ns: string, runId: Id, reply: CloudEvent<ReplyData>): Promise<'forwarded'> =>
    this.options.forward(ns, runId, reply).then(() => 'forwarded');

  private async recordAll(ns: string, replies: readonly CloudEvent<ReplyData>[], answer: Answer): Promise<void> {
    const outcomes = await Promise.allSettled(
      replies.map((reply) => this.settle(ns, reply.data?.lease.attemptId ?? '', reply, this.forwarded)),
    );
    outcomes.forEach((outcome, i) => {
      const { id } = replies[i] as CloudEvent<ReplyData>;
      if (outcome.status === 'fulfilled') answer[outcome.value].push(id);
      else if (outcome.reason instanceof ReplyRefused) (answer.refused ??= []).push({ id, errors: outcome.reason.errors });
      // Else it is not accepted: the session sends it again.
    });
  }

  private watch(): void {
    this.watching = this.clock.after(WATCH_INTERVAL_MS, () => {
      const now = this.clock.monotonicMs();
      // A look that comes late was held up here, not by the handlers: their beats may lie unread in a socket.
      if (now - this.lastLook < 2 * WATCH_INTERVAL_MS && this.options.serving.hears) this.look(now);
      this.lastLook = now;
      if (!this.stopped) this.watch();
    });
  }

  private look(now: number): void {
    this.sessions.endSilent(now);
    const heardSince = this.sessions.allHeardTwiceSince();
    this.ringer?.begin();
    for (const entry of this.books.entries()) {
      if (entry.lapsing) continue;
      const { timeoutMs, leaseMs } = entry.task;
      if (entry.phase === 'recovering') this.recovery.judge(entry, now, heardSince);
      else if (entry.phase === 'rung') this.lookAtRung(entry, now);
      else if (!isOut(entry)) continue;
      else if (now - (entry.takenAt ?? now) > timeoutMs) this.books.lapse(entry, 'timeout', `no reply within ${timeoutMs} ms`);
      else if (now - entry.renewedAt > leaseMs) this.books.lapse(entry, 'lease', `no heartbeat within ${leaseMs} ms`);
    }
    this.assignment.ringDeserted();
  }

  private judgeRecovering(now: number): void {
    const heardSince = this.sessions.allHeardTwiceSince();
    for (const entry of this.books.entries())
      if (entry.phase === 'recovering' && !entry.lapsing) this.recovery.judge(entry, now, heardSince);
  }

  private lookAtRung(entry: Entry, now: number): void {
    if (!this.assignment.isServed(entry.task)) return this.ringer?.lookAt(entry, now);
    if (this.ringer?.isUnheard(entry, now) !== true) return;
    entry.shared = true; // Whoever took the message may be at work unheard.
    this.assignment.enqueue(entry);
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
/** An answer in the making. */
type Answer = Omit<Mutable<ExchangeResponse>, 'tasks' | 'refused'> & {
  tasks: ExchangeResponse['tasks'];
  refused?: { readonly id: string; readonly errors: ReplyRefused['errors'] }[];
};

const isSettled = ({ accepted, late, forwarded, refused }: Answer): boolean =>
  accepted.length > 0 || late.length > 0 || forwarded.length > 0 || refused !== undefined;
