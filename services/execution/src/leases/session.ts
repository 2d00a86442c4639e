import type { CloudEvent, ExchangeRequest, TaskData } from '@cairn/contracts';
import type { EpochMs, Id } from '@cairn/kernel';
import type { Timer } from '@cairn/ports';
import type { Task } from './task.js';

/** An open attempt in the desk's books. */
export interface Entry {
  readonly task: Task;
  /**
   * `recovering`: perhaps with somebody who has not been heard yet, until `recoverBy`. `rung`: sent as a message, which anybody may take;
   * until somebody is heard of, nobody has it.
   */
  phase: 'recovering' | 'waiting' | 'rung' | 'given';
  /** Its run is paused: whoever has it goes on, nobody new gets it. */
  paused: boolean;
  session: Session | undefined;
  /** Who has it, as people are told. */
  holder: string | undefined;
  /** Sequence number of the frame whose answer took it to the session; Infinity until it has left. */
  givenSeq: number;
  /** Monotonic milliseconds. A lease runs from taking, so neither means anything before that. */
  takenAt: number | undefined;
  renewedAt: number;
  recoverBy: number;
  /** Monotonic: since then this desk knows it. */
  readonly offeredAt: number;
  /** When it was rung (monotonic), and when the next ring is due (wall clock); `undefined` before the first. */
  rung: { readonly at: number; readonly nextDue: EpochMs } | undefined;
  /** More than one handler may have it: none can say what the others did. */
  shared: boolean;
  /** Nonce of the claim on record: nobody else may ever have it (`architecture.md` §4.2). */
  grantedTo: string | undefined;
  /** A nonce that was asked for and never answered: its claim may be on record or not. */
  doubtful: string | undefined;
  /** Its claim is being asked for. */
  claiming: boolean;
  lapsing: boolean;
}

/** What an answer can hold still. */
export interface Room {
  /** Whether the task fits; then it takes its place. An empty answer takes any task. */
  takes(task: CloudEvent<TaskData>): boolean;
}

/** Frames that a session may have under way at once: one held open, one that overtakes it. */
export const FRAMES_IN_FLIGHT_MAX = 2;

/** A worker session: what it has, what it would take, and the frame that can be answered. */
export class Session {
  readonly has = new Map<Id, Entry>();
  readonly free = new Map<string, number>();
  /** Tasks that leave with the next answer. */
  outbox: Entry[] = [];
  lastBeat: number;
  /** Monotonic, of the last frame and of the one before it. */
  heardAt = Number.NEGATIVE_INFINITY;
  heardBefore = Number.NEGATIVE_INFINITY;
  /** The highest sequence number heard. */
  lastSeq = 0;
  /** Who works, for people. */
  handler = '';
  /** Answers the frame that is held open, if one is. */
  release: (() => void) | undefined;
  /** Frames under way whose sender is there: their answer takes the outbox along. */
  frames = 0;
  /** Runs while its connection is cut: then it is over, unless it is heard before. */
  grace: Timer | undefined;

  constructor(
    readonly id: Id,
    readonly ns: string,
    now: number,
  ) {
    this.lastBeat = now;
  }

  /** What the frame says: who is held, how much is free. Answers the entries that were given and are missing: they go again. */
  hear(frame: ExchangeRequest, now: number): readonly Entry[] {
    this.lastBeat = now;
    this.heardBefore = this.heardAt;
    this.heardAt = now;
    this.lastSeq = Math.max(this.lastSeq, frame.seq);
    this.handler = frame.handler;
    this.grace?.cancel();
    const held = new Set(frame.held);
    for (const reply of frame.replies) if (reply.data !== undefined) held.add(reply.data.lease.attemptId);
    this.free.clear();
    for (const queue of Object.keys(frame.queues)) this.free.set(queue, frame.queues[queue] ?? 0);
    const missing: Entry[] = [];
    for (const [attemptId, entry] of this.has) {
      if (held.has(attemptId)) entry.renewedAt = now;
      else if (frame.seq >= entry.givenSeq + FRAMES_IN_FLIGHT_MAX) missing.push(entry);
      else this.take(entry.task.queue); // On its way: the frame was sent before it arrived.
    }
    return missing;
  }

  canTake(queue: string): boolean {
    return this.frames > 0 && (this.free.get(queue) ?? 0) > 0;
  }

  /** The entry is this session's, and takes one of its places. It leaves once it is put in the outbox. */
  assign(entry: Entry): void {
    entry.phase = 'given';
    if (entry.session !== this) entry.takenAt = undefined;
    entry.session = this;
    entry.givenSeq = Infinity;
    this.take(entry.task.queue);
    this.has.set(entry.task.attemptId, entry);
  }

  /** The entry is this session's no more. */
  drop(entry: Entry): void {
    if (entry.session === this) entry.session = undefined;
    if (!this.has.delete(entry.task.attemptId)) return;
    if (entry.givenSeq === Infinity && this.outbox.includes(entry)) this.outbox = this.outbox.filter((leaving) => leaving !== entry);
  }

  /** What leaves with the answer to frame `seq`; where that has no more room, the rest stays for the next one. */
  collect(seq: number, now: number, room?: Room): CloudEvent<TaskData>[] {
    const leaving = this.outbox;
    if (leaving.length === 0) return [];
    this.outbox = [];
    const tasks: CloudEvent<TaskData>[] = [];
    for (let i = 0; i < leaving.length; i++) {
      const entry = leaving[i]!;
      if (room?.takes(entry.task.event) === false) {
        this.outbox = leaving.slice(i);
        break;
      }
      entry.givenSeq = seq;
      // Given again since it did not arrive, or was dropped: the step's time runs from the first time.
      entry.takenAt ??= now;
      entry.renewedAt = now;
      entry.holder = this.handler;
      tasks.push(entry.task.event);
    }
    return tasks;
  }

  private take(queue: string): void {
    this.free.set(queue, Math.max(0, (this.free.get(queue) ?? 0) - 1));
  }
}
