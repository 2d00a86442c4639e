import type { CloudEvent, HangUp, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { Assignment } from './assignment.js';
import type { Books } from './books.js';
import type { Claims } from './claims.js';
import type { Entry, Room } from './session.js';
import type { Poller, WorkQueue } from './work-queue.js';

/** Who polls without a name, as people are told. */
export const POLLER = 'poll';

export interface PollOptions {
  readonly max: number;
  readonly waitMs: number;
  readonly session?: Id;
  readonly gone?: HangUp;
}

export interface PollsParts {
  readonly clock: Clock;
  readonly books: Books;
  readonly assignment: Assignment;
  readonly claims: Claims;
}

/** Tasks for those who ask for some, one request at a time. The answer counts as `started`, and as the claim. */
export class Polls {
  constructor(private readonly parts: PollsParts) {}

  async poll(ns: string, queue: string, options: PollOptions, room?: Room): Promise<readonly CloudEvent<TaskData>[]> {
    const { clock, books, assignment, claims } = this.parts;
    const { session: handler = POLLER } = options;
    const isGone = (): boolean => options.gone?.aborted === true;
    const work = assignment.queueOf(ns, queue);
    let taken: readonly Entry[] = assignment.isStopped ? [] : assignment.take(work, options.max);
    if (taken.length === 0 && options.waitMs > 0 && !assignment.isStopped) taken = await this.waitForTask(work, options);
    if (room !== undefined) taken = this.fitting(taken, room);
    if (!isGone() && taken.some(({ task }) => task.claim)) taken = await claims.forPoll(taken, handler);
    const now = clock.monotonicMs();
    work.polledAt = now;
    const leaving = taken.filter((entry) => books.isOpen(entry));
    for (const entry of leaving) {
      // Whoever polled has hung up: what was granted lapses by its lease, the rest nobody has.
      if (isGone() && entry.grantedTo === undefined) assignment.enqueue(entry);
      else books.markGiven(entry, undefined, handler, now);
    }
    return isGone() ? [] : leaving.map(({ task }) => task.event);
  }

  /** What the answer can hold; the rest is anybody's. */
  private fitting(taken: readonly Entry[], room: Room): readonly Entry[] {
    const leaving: Entry[] = [];
    for (const entry of taken) {
      if (room.takes(entry.task.event)) leaving.push(entry);
      else this.parts.assignment.enqueue(entry);
    }
    return leaving;
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
      const timer = this.parts.clock.after(waitMs, hungUp);
      gone?.addEventListener('abort', hungUp);
      work.poll(poller);
      if (gone?.aborted === true) hungUp();
    });
  }
}
