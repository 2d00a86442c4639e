import { Generations } from '@cairn/application';
import {
  subjects,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type HangUp,
  type QueueView,
  type ReplyData,
  type TaskData,
  type WorkDesk,
} from '@cairn/contracts';
import { partitionOf, type Id, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Bus, type Clock, type Line, type Randomness, type Timer } from '@cairn/ports';
import { HeardReplicas, type Reply } from '@cairn/sdk/exchange';
import { HttpSession } from './http-session.js';
import { PollReplicas, type PollOptions } from './poll-replicas.js';
import { refusal, ReplicaQuestions } from './replica-questions.js';

/** How often sessions that fell silent are looked for. */
const LOOK_MS = 1_000;
/** A session that counts from one again after so many frames is another process (as at execution's desk). */
const FIRST_FRAME_LEAD_MAX = 16;
/** Attempts given to polls whose run is remembered, so that a reply that does not name it finds its way. */
const POLLED_REMEMBERED_MAX = 20_000;

export interface RemoteDeskParts {
  readonly line: Line;
  readonly bus: Pick<Bus, 'ask' | 'publish'>;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, 'fraction'>;
}

/** The desk, and the end of it. */
export interface RemoteDesk extends WorkDesk {
  /** Frames that are held open are answered; no replica is heard any more. */
  stop(): void;
  /** Replicas of execution that are heard now. */
  readonly replicas: readonly Id[];
}

/**
 * The work of all replicas of execution as one desk, over the line: for those who come by HTTP while execution is other processes. Each
 * method throws `BusFault` while no replica is heard or answers; what a frame carried then is the session's still, and goes with its next.
 */
export function createRemoteDesk(parts: RemoteDeskParts): RemoteDesk {
  return new DeskOverLine(parts);
}

class DeskOverLine implements RemoteDesk {
  private readonly heard: HeardReplicas;
  private readonly questions: ReplicaQuestions;
  private readonly polls: PollReplicas;
  private readonly sessions = new Map<Id, { readonly ns: string; readonly session: HttpSession }>();
  private readonly runs = new Generations<Id, Id>(POLLED_REMEMBERED_MAX);
  private looking: Timer;

  constructor(private readonly parts: RemoteDeskParts) {
    const { line, clock } = parts;
    this.heard = new HeardReplicas(line, clock);
    this.questions = new ReplicaQuestions(line, this.heard);
    this.polls = new PollReplicas(this.questions, clock);
    this.looking = clock.after(LOOK_MS, () => this.look());
  }

  get replicas(): readonly Id[] {
    return this.heard.ids;
  }

  async exchange(ns: string, frame: ExchangeRequest, gone?: HangUp): Promise<ExchangeResponse> {
    await this.questions.someReplica();
    return this.sessionOf(ns, frame).exchange(frame, gone, () => this.questions.tellLost(ns, frame.session));
  }

  lostConnection(session: Id): void {
    const known = this.sessions.get(session);
    if (known !== undefined && !known.session.isOpen) this.questions.tellLost(known.ns, session);
  }

  async poll(ns: string, queue: string, options: PollOptions): Promise<readonly CloudEvent<TaskData>[]> {
    const polled = await this.polls.poll(ns, queue, options);
    for (const { cairnrun, data } of polled?.tasks ?? [])
      if (cairnrun !== undefined && data !== undefined) this.runs.set(data.lease.attemptId, cairnrun);
    return polled?.tasks ?? [];
  }

  /** Sessions speak to every replica, so the most that one of them counts; what waits, waits at one. */
  async queue(ns: string, queue: string): Promise<QueueView> {
    const { answers } = await this.questions.each(ns, 'queue', { queue });
    const view = { handlers: 0, waiting: 0 };
    for (const { handlers, waiting } of answers) {
      view.handlers = Math.max(view.handlers, handlers);
      view.waiting += waiting;
    }
    return view;
  }

  async holder(attemptId: Id): Promise<string | undefined> {
    const { answers } = await this.questions.each('default', 'holder', { attemptId });
    return answers.find(({ holder }) => holder !== undefined)?.holder;
  }

  /** Open if one says so, closed if all say so: a replica that did not answer may be the one that has it. */
  async heartbeat(ns: string, attemptId: Id): Promise<boolean> {
    const { answers, fault } = await this.questions.each(ns, 'heartbeat', { attemptId });
    if (answers.some(({ open }) => open)) return true;
    if (fault !== undefined) throw fault;
    return false;
  }

  /** By the durable subject of its run, where whoever serves that answers; where nobody knows the run, whoever has the attempt does. */
  async reply(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<'accepted' | 'late'> {
    const run = reply.cairnrun ?? this.runs.get(attemptId);
    if (run === undefined) return this.replyToAll(ns, attemptId, reply);
    const body = { ...reply, cairnrun: run } as unknown as JsonObject;
    const answer = await this.parts.bus.ask({ subject: subjects.reply(ns, partitionOf(run)), id: reply.id, body }, ASK_DEADLINE_MS);
    if (answer['problem'] !== undefined) throw refusal(answer['problem']);
    return answer['outcome'] === 'accepted' ? 'accepted' : 'late';
  }

  stop(): void {
    this.looking.cancel();
    for (const { session } of this.sessions.values()) session.close();
    this.sessions.clear();
    this.heard.stop();
  }

  private async replyToAll(ns: string, attemptId: Id, reply: CloudEvent<ReplyData>): Promise<'accepted' | 'late'> {
    const { answers, fault } = await this.questions.each(ns, 'reply', { attemptId, reply });
    if (answers.some(({ outcome }) => outcome === 'accepted')) return 'accepted';
    if (fault !== undefined) throw fault;
    return 'late';
  }

  private sessionOf(ns: string, frame: ExchangeRequest): HttpSession {
    const known = this.sessions.get(frame.session);
    const isAnew = known !== undefined && frame.seq === 1 && known.session.lastSeq > FIRST_FRAME_LEAD_MAX;
    if (known !== undefined && known.ns === ns && !isAnew) return known.session;
    known?.session.close();
    const { line, clock, randomness } = this.parts;
    const parts = { line, clock, fraction: () => randomness.fraction(), replicas: this.heard, ns };
    const session = new HttpSession(parts, frame, clock, (reply) => this.forward(ns, reply));
    this.sessions.set(frame.session, { ns, session });
    return session;
  }

  private async forward(ns: string, { id, text }: Reply): Promise<void> {
    const body = JSON.parse(text) as JsonObject;
    const run = body['cairnrun'];
    if (typeof run !== 'string') throw new Error('the reply does not name its run');
    await this.parts.bus.publish({ subject: subjects.reply(ns, partitionOf(run)), id, body });
  }

  private look(): void {
    for (const [id, { session }] of this.sessions) {
      if (!session.isSilent) continue;
      session.close();
      this.sessions.delete(id);
    }
    this.looking = this.parts.clock.after(LOOK_MS, () => this.look());
  }
}
