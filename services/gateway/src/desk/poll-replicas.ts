import type { CloudEvent, HangUp, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import { noReplica, type ReplicaQuestions } from './replica-questions.js';

/** How long one replica is asked to wait for a task before another is: what waits at the others waits no longer than that for each. */
const SLICE_MS = 200;
/** An answer that takes so much longer than it was asked to wait does not come any more. */
const ANSWER_GRACE_MS = 1_000;

export interface PollOptions {
  readonly max: number;
  readonly waitMs: number;
  readonly session?: Id;
  readonly gone?: HangUp;
}

export interface Polled {
  readonly replica: Id;
  readonly tasks: readonly CloudEvent<TaskData>[];
}

/**
 * Polls one replica at a time, so that no task is given to a poll that has its answer already: each once without waiting, then in turn
 * for a slice each. Polls begin with different replicas.
 */
export class PollReplicas {
  private turn = 0;

  constructor(
    private readonly questions: ReplicaQuestions,
    private readonly clock: Clock,
  ) {}

  /** Throws `BusFault` while no replica answers. */
  async poll(ns: string, queue: string, { max, waitMs, session, gone }: PollOptions): Promise<Polled | undefined> {
    const until = this.clock.monotonicMs() + waitMs;
    await this.questions.someReplica();
    let unasked = this.questions.replicas.ids.length;
    let faults = 0;
    for (let replica = this.next(); replica !== undefined; replica = this.next()) {
      const leftMs = Math.max(0, until - this.clock.monotonicMs());
      const slice = unasked > 0 ? 0 : Math.min(SLICE_MS, Math.ceil(leftMs));
      unasked -= 1;
      try {
        const asks = { queue, max, waitMs: slice, ...(session === undefined ? {} : { session }) };
        const { tasks } = await this.questions.one(ns, replica, 'poll', asks, slice + ANSWER_GRACE_MS);
        if (tasks.length > 0) return { replica, tasks };
        faults = 0;
      } catch (error) {
        faults += 1;
        if (faults > this.questions.replicas.ids.length) throw error;
      }
      if (gone?.aborted === true || (unasked <= 0 && this.clock.monotonicMs() >= until)) return undefined;
    }
    throw noReplica();
  }

  private next(): Id | undefined {
    const { ids } = this.questions.replicas;
    this.turn += 1;
    return ids[this.turn % ids.length];
  }
}
