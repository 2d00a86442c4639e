import type { Clock, Timer } from '@cairn/ports';
import type { Entry, Session } from './session.js';
import { SESSION_PATIENCE_MS } from './patience.js';
import type { Task } from './task.js';
import { WorkQueue } from './work-queue.js';

/**
 * Brings tasks that nobody has to whoever would take them: the oldest first, sessions in turn, then polls. Where neither is there to take
 * any they are rung, if that can be.
 */
export class Assignment {
  private readonly queues = new Map<string, WorkQueue>();
  private readonly toServe = new Set<WorkQueue>();
  private timer: Timer | undefined;
  isStopped = false;

  /**
   * `give`: the entry is the session's from now on. Says whether it can leave at once. `ring`: the entry is told of by message, to whoever
   * is there.
   */
  constructor(
    private readonly clock: Clock,
    private readonly give: (entry: Entry, session: Session) => boolean,
    private readonly ring: ((entry: Entry) => void) | undefined,
  ) {}

  /** Gives nothing any more; polls are answered with what there is. */
  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    for (const work of this.queues.values()) work.endPolls();
  }

  queueOf(ns: string, queue: string): WorkQueue {
    const key = `${ns}/${queue}`;
    let work = this.queues.get(key);
    if (work === undefined) {
      work = new WorkQueue(queue);
      this.queues.set(key, work);
    }
    return work;
  }

  /** Nobody has the entry. While its run is paused it is only kept. */
  enqueue(entry: Entry): void {
    entry.phase = 'waiting';
    entry.session = undefined;
    entry.givenSeq = Infinity;
    if (entry.paused || this.isStopped) return;
    const work = this.queueOf(entry.task.ns, entry.task.queue);
    work.push(entry);
    this.toServe.add(work);
    this.timer ??= this.clock.after(0, () => this.assignNow()); // Once a tick: tasks of one commit leave in one frame.
  }

  /** The session takes what its last frame says, at the next `assignNow`. */
  join(session: Session): void {
    for (const queue of session.free.keys()) {
      const work = this.queueOf(session.ns, queue);
      work.join(session);
      this.toServe.add(work);
    }
  }

  leave(session: Session): void {
    for (const queue of session.free.keys()) this.queueOf(session.ns, queue).leave(session);
  }

  /** Whether somebody is there who takes tasks of the queue as they come, or was until just now. */
  isServed({ ns, queue }: Task): boolean {
    return this.isAttended(this.queueOf(ns, queue));
  }

  /** Rings what waits where nobody is any more. */
  ringDeserted(): void {
    if (this.ring === undefined) return;
    for (const work of this.queues.values()) if (!this.isAttended(work)) this.assign(work, new Set());
  }

  assignNow(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const touched = new Set<Session>();
    for (const work of this.toServe) this.assign(work, touched);
    this.toServe.clear();
    for (const session of touched) session.release?.();
  }

  /** Up to `max` entries that wait now. */
  take(work: WorkQueue, max: number): Entry[] {
    const taken: Entry[] = [];
    while (taken.length < max) {
      const entry = work.shift();
      if (entry === undefined) break;
      entry.phase = 'given';
      taken.push(entry);
    }
    return taken;
  }

  private isAttended(work: WorkQueue): boolean {
    return work.handlers(this.clock.monotonicMs() - SESSION_PATIENCE_MS) > 0;
  }

  private assign(work: WorkQueue, touched: Set<Session>): void {
    for (let entry = work.shift(); entry !== undefined; entry = work.shift()) {
      const session = work.nextSession();
      if (session !== undefined) {
        if (this.give(entry, session)) touched.add(session);
        continue;
      }
      const poller = work.nextPoller();
      if (poller === undefined) {
        if (this.ring === undefined || this.isAttended(work)) return work.unshift(entry);
        this.ring(entry);
        continue;
      }
      entry.phase = 'given';
      poller.take([entry, ...this.take(work, poller.max - 1)]);
    }
  }
}
