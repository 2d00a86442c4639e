import type { CloudEvent, ExchangeRequest, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Task } from './task.js';

/** An open attempt in the desk's books. */
export interface Entry {
  readonly task: Task;
  /** `recovering`: after a start, until a session says that it has it or three beats have passed. */
  phase: 'recovering' | 'waiting' | 'given';
  session: Session | undefined;
  /** Sequence number of the frame whose answer took it to the session; Infinity until it has left. */
  givenSeq: number;
  /** Monotonic milliseconds. A lease runs from taking, so both mean nothing before that. */
  takenAt: number;
  renewedAt: number;
  lapsing: boolean;
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
  /** Answers the frame that is held open, if one is. */
  release: (() => void) | undefined;
  /** Frames that are being worked on: their answer takes the outbox along. */
  busy = 0;

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
    return (this.free.get(queue) ?? 0) > 0 && (this.release !== undefined || this.busy > 0);
  }

  give(entry: Entry): void {
    this.take(entry.task.queue);
    this.has.set(entry.task.attemptId, entry);
    this.outbox.push(entry);
  }

  /** What leaves with the answer to frame `seq`. */
  collect(seq: number, now: number): CloudEvent<TaskData>[] {
    const leaving = this.outbox;
    if (leaving.length === 0) return [];
    this.outbox = [];
    const tasks: CloudEvent<TaskData>[] = [];
    for (const entry of leaving) {
      if (this.has.get(entry.task.attemptId) !== entry) continue; // Over before it left.
      entry.givenSeq = seq;
      entry.takenAt = now;
      entry.renewedAt = now;
      tasks.push(entry.task.event);
    }
    return tasks;
  }

  private take(queue: string): void {
    this.free.set(queue, Math.max(0, (this.free.get(queue) ?? 0) - 1));
  }
}
