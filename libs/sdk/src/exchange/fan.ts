import { subjects, type CloudEvent, type ExchangeResponse, type Problem, type TaskData } from '@cairn/contracts';
import type { FieldError, Id } from '@cairn/kernel';
import type { Clock, Line, Timer } from '@cairn/ports';
import { ForwardedReplies } from './forwarded-replies.js';
import { frameText } from './frame-text.js';
import type { HeardReplicas } from './heard-replicas.js';
import { OwedReplies } from './owed-replies.js';
import { Places, type Takes } from './places.js';
import { FRAMES_MAX, ReplicaFrames, type Frame } from './replica-frames.js';
import type { Reply } from './reply.js';

/** Longer than any frame is held open and appended; a replica that is mute is missed by its beats long before. */
const ANSWER_MS_MAX = 5_000;
/** Waits after a replica failed: doubled from the first to the last, jittered. */
const BACKOFF_FIRST_MS = 10;
const BACKOFF_LAST_MS = 1_000;
/** A replica that answers an idle frame at once is asked again after this time, so that no fault of it becomes a busy loop. */
const IDLE_PAUSE_MS = 20;
/** A replica calls it no frame and says so; asked only to learn whether there is one. */
const NOTHING = new Uint8Array(0);
/** Numbers of frames are kept for so many replicas: one that was mute for a while goes on where it was. */
const REPLICAS_REMEMBERED = 64;

export type Outcome = 'accepted' | 'late' | 'forwarded';

/** The session whose frames these are. While it `isOpen` each replica has a frame of it; replies go in any case. */
export interface FanHost extends Takes {
  readonly session: Id;
  readonly replaces?: Id | undefined;
  readonly handler: string;
  /** It ends: what it was offered to take is withdrawn at once. */
  readonly isLeaving?: boolean;
  /** Attempts that the session has; those whose replies are owed are added. */
  held(): Iterable<Id>;
  /** A frame that was sent at a monotonic time has been answered. Told before anything that the answer holds. */
  answered?(sentAt: number): void;
  /** A replica has answered. Told after everything that the answer held. */
  heard?(): void;
  given(tasks: readonly CloudEvent<TaskData>[], replica: Id): void;
  settled(outcome: Outcome, ids: readonly string[]): void;
  /** A reply that no replica will ever take. What is answered goes in its place; `undefined`: nothing does. */
  refused(reply: Reply, errors: readonly FieldError[]): Reply | undefined;
  /** Publishes it on its durable subject. Resolves when the bus has it. Absent where there is no bus. */
  forward?(reply: Reply): Promise<void>;
}

export interface FanParts {
  readonly line: Pick<Line, 'ask'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  readonly replicas: HeardReplicas;
  readonly ns: string;
  /** Number of the first frame to a replica, 1 unless somebody else may have sent frames of this session. */
  readonly firstSeq?: number;
  /** Where this process can be seen to live, if its death is the session's. */
  readonly alive?: string;
}

/**
 * The exchange over the line (`architecture.md` §4.2): one session, frames of its own to each replica that is heard. Places are divided
 * and never offered twice; what is held is said to everybody; a reply goes to whoever gave the task while that lives, else to another,
 * and to its durable subject if nobody settles it within a second. Lost frames and lost replicas lose neither task nor reply.
 */
export class Fan {
  private readonly carriers = new Map<Id, ReplicaFrames>();
  private readonly seqs = new Map<Id, number>();
  private readonly owed: OwedReplies;
  private readonly forwarded = new ForwardedReplies();
  private readonly places: Places;
  private readonly unfollow: () => void;
  private ticking: Timer | undefined;
  private turning: Timer | undefined;
  private isClosed = false;

  constructor(
    private readonly parts: FanParts,
    private readonly host: FanHost,
  ) {
    this.places = new Places(host, this.carriers, () => parts.clock.monotonicMs());
    this.owed = new OwedReplies({
      clock: parts.clock,
      carrierFor: (giver) => (giver === undefined ? undefined : this.carriers.get(giver)) ?? this.carriers.values().next().value,
      forward: host.forward === undefined ? undefined : (reply) => host.forward?.(reply) ?? Promise.resolve(),
      forwarded: (id) => this.settle('forwarded', [id]),
      ready: () => this.wake(),
    });
    this.unfollow = parts.replicas.follow({
      joined: (replica) => this.joined(replica),
      left: (replica) => this.left(replica),
      missed: (replica) => this.missed(replica),
    });
  }

  /** Replies that nobody has settled. */
  get owes(): number {
    return this.owed.size;
  }

  /** No replica may send a task any more: a session that leaves can end now. */
  get isQuiet(): boolean {
    for (const carrier of this.carriers.values()) for (const queue of this.host.queues) if (carrier.reserved(queue) > 0) return false;
    return true;
  }

  /** Sends a reply until it is settled, first to `giver`. One that is owed already is sent as it is. */
  owe(reply: Reply, giver?: Id): void {
    this.owed.add(reply, giver);
  }

  /** Something has changed: a frame a tick, so that what becomes ready in one turn of the event loop travels together. */
  wake(): void {
    if (!this.isClosed) this.ticking ??= this.parts.clock.after(0, () => this.tick());
  }

  /** Answers the replies that nobody has settled. */
  close(): readonly Reply[] {
    this.isClosed = true;
    this.unfollow();
    this.ticking?.cancel();
    this.turning?.cancel();
    return this.owed.stop();
  }

  private joined(replica: Id): void {
    this.carriers.set(replica, new ReplicaFrames(replica));
    this.owed.moveFrom(undefined);
    this.wake();
  }

  /** What it was asked may still be answered; what it was told goes to another. */
  private left(replica: Id): void {
    const carrier = this.carriers.get(replica);
    if (carrier === undefined) return;
    this.carriers.delete(replica);
    this.owed.moveFrom(carrier);
    this.wake();
  }

  /** Frames under way tell nobody that their replica died with them: a word of their own learns at once whether anybody listens there. */
  private missed(replica: Id): void {
    if (!this.carriers.has(replica)) return;
    this.parts.line.ask(subjects.exchange(this.parts.ns, replica), NOTHING, ANSWER_MS_MAX).catch((fault: unknown) => {
      if ((fault as { readonly code?: string }).code === 'no_consumer') this.parts.replicas.gone(replica);
    });
  }

  private tick(): void {
    this.ticking = undefined;
    if (this.isClosed) return;
    for (const carrier of this.carriers.values()) if (this.wantsFrame(carrier)) this.send(carrier);
    if (this.turning === undefined && this.places.isUneven())
      this.turning = this.parts.clock.after(this.places.turnMs, () => this.endTurn());
  }

  private wantsFrame(carrier: ReplicaFrames): boolean {
    if (carrier.isResting || carrier.frames.length >= FRAMES_MAX) return false;
    if (carrier.hasReplies) return true;
    if (this.host.isLeaving === true && this.places.hasTooMuch(carrier)) return true;
    return this.host.isOpen && (carrier.frames.length === 0 || this.places.canOfferMore(carrier));
  }

  /** Whoever is offered more than its share now is told so; what that frees is offered to the others once it is answered. */
  private endTurn(): void {
    this.turning = undefined;
    this.places.endTurn();
    for (const carrier of this.carriers.values()) {
      if (!carrier.isResting && carrier.frames.length < FRAMES_MAX && this.places.hasTooMuch(carrier)) this.send(carrier);
    }
    this.tick();
  }

  private send(carrier: ReplicaFrames): void {
    const now = this.parts.clock.monotonicMs();
    const { session, replaces, handler } = this.host;
    const offers = new Map<string, number>();
    for (const queue of this.host.queues) offers.set(queue, this.places.offer(carrier, queue));
    const frame: Frame = { seq: this.nextSeq(carrier.replica), sentAt: now, replies: carrier.take(now), offers };
    const held = [this.host.held(), this.owed.attempts()];
    const text = frameText(frame, { session, replaces, handler, alive: this.parts.alive, held });
    carrier.begin(frame);
    this.parts.line.ask(subjects.exchange(this.parts.ns, carrier.replica), Buffer.from(text), ANSWER_MS_MAX).then(
      (data) => this.answered(carrier, frame, data),
      (fault: unknown) => this.failed(carrier, frame, fault),
    );
  }

  private nextSeq(replica: Id): number {
    const seq = (this.seqs.get(replica) ?? (this.parts.firstSeq ?? 1) - 1) + 1;
    this.seqs.delete(replica); // The one that was written to last stands last.
    this.seqs.set(replica, seq);
    const oldest = this.seqs.keys().next().value;
    if (this.seqs.size > REPLICAS_REMEMBERED && oldest !== undefined) this.seqs.delete(oldest);
    return seq;
  }

  private answered(carrier: ReplicaFrames, frame: Frame, data: Uint8Array): void {
    let answer: ExchangeResponse | { readonly problem: Problem };
    try {
      answer = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as typeof answer;
    } catch (error) {
      return this.failed(carrier, frame, error);
    }
    if ('problem' in answer) return this.frameRefused(carrier, frame, answer.problem);
    const { accepted, late, forwarded, refused = [], tasks } = answer;
    carrier.failures = 0;
    this.host.answered?.(frame.sentAt);
    carrier.end(frame, tasks, this.parts.clock.monotonicMs());
    this.settle('accepted', accepted);
    this.settle('late', late);
    this.settle('forwarded', forwarded);
    for (const { id, errors } of refused) this.replaceReply(id, errors, carrier);
    if (tasks.length > 0) this.given(tasks, carrier);
    this.host.heard?.();
    const isIdle = tasks.length === 0 && frame.replies.length === 0 && carrier.frames.length === 0;
    if (isIdle && this.parts.clock.monotonicMs() - frame.sentAt < IDLE_PAUSE_MS) this.rest(carrier, IDLE_PAUSE_MS);
    this.wake();
  }

  /** What was answered already is answered again; the rest is the session's. */
  private given(tasks: readonly CloudEvent<TaskData>[], carrier: ReplicaFrames): void {
    const fresh = tasks.filter(({ data }) => {
      const answer = data === undefined ? undefined : this.forwarded.take(data.lease.attemptId);
      if (answer !== undefined) this.owe(answer, carrier.replica);
      return answer === undefined;
    });
    if (fresh.length > 0) this.host.given(fresh, carrier.replica);
  }

  private settle(outcome: Outcome, ids: readonly string[]): void {
    if (ids.length === 0) return;
    for (const id of ids) {
      const reply = this.owed.settle(id);
      if (reply !== undefined && outcome === 'forwarded') this.forwarded.add(reply);
    }
    if (this.owed.size === 0) for (const carrier of this.carriers.values()) carrier.isOneByOne = false;
    this.host.settled(outcome, ids);
  }

  /** A frame that the replica will never take. One bad reply must not hold up the others. */
  private frameRefused(carrier: ReplicaFrames, frame: Frame, problem: Problem): void {
    const [first, ...others] = frame.replies;
    const isAboutContent = problem.status === 400 || problem.status === 413 || problem.status === 422;
    if (!isAboutContent || first === undefined) return this.failed(carrier, frame, problem);
    carrier.end(frame, [], 0);
    if (others.length > 0) {
      carrier.isOneByOne = true;
      this.owed.sendAgain(carrier, frame.replies);
    } else this.replaceReply(first.reply.id, problem.errors ?? [{ pointer: '', rule: problem.code, says: problem.detail }], carrier);
    this.wake();
  }

  private replaceReply(id: string, errors: readonly FieldError[], carrier: ReplicaFrames): void {
    const reply = this.owed.settle(id);
    const instead = reply === undefined ? undefined : this.host.refused(reply, errors);
    if (instead !== undefined) this.owe(instead, carrier.replica);
  }

  private failed(carrier: ReplicaFrames, frame: Frame, fault: unknown): void {
    carrier.end(frame, [], 0);
    if (this.isClosed) return;
    this.owed.sendAgain(carrier, frame.replies);
    if (this.carriers.get(carrier.replica) !== carrier) return;
    const { code } = fault as { readonly code?: string };
    if (code === 'no_consumer') return this.parts.replicas.gone(carrier.replica);
    if (code === 'message_too_large') carrier.isOneByOne = true;
    const backoff = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** carrier.failures++);
    this.rest(carrier, backoff * (0.5 + this.parts.fraction() / 2));
  }

  private rest(carrier: ReplicaFrames, ms: number): void {
    carrier.isResting = true;
    this.parts.clock.after(ms, () => {
      carrier.isResting = false;
      this.wake();
    });
  }
}
