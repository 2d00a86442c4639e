import { BEAT_MS, BEATS_MISSED_MAX, type CloudEvent, type TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Handler, Outcome } from './handler.js';
import { Lane } from './lane.js';
import { RecentIds } from './recent-ids.js';
import { Attempt, type AttemptHost } from './task.js';

/** A server gives a session that is silent for all of its beats up; one beat before that nothing is begun any more. */
const GRANT_MS_MAX = BEAT_MS * (BEATS_MISSED_MAX - 1);

/** What a session has in hand: its attempts, each run once however often it is given, and the places that are free. */
export class Hand {
  readonly #lanes = new Map<string, Lane>();
  readonly #attempts = new Map<Id, Attempt>();
  readonly #recent = new RecentIds();
  #renewedAt = performance.now();

  /** `ended` is told of each attempt that comes to its end, which is in hand until `drop`. */
  constructor(
    handlers: readonly Handler[],
    private readonly host: AttemptHost,
    ended: (attempt: Attempt, outcome: Outcome) => void,
  ) {
    for (const one of handlers) this.#lanes.set(one.queue, new Lane(one, ended, (attempt) => this.#isTooLate(attempt)));
  }

  get size(): number {
    return this.#attempts.size;
  }

  get queues(): Iterable<string> {
    return this.#lanes.keys();
  }

  ids(): Iterable<Id> {
    return this.#attempts.keys();
  }

  get(attemptId: Id): Attempt | undefined {
    return this.#attempts.get(attemptId);
  }

  free(queue: string): number {
    return this.#lanes.get(queue)?.free ?? 0;
  }

  /** The same attempt may come twice, in two answers or from a server that was restarted: it runs once. */
  take(event: CloudEvent<TaskData>, giver?: Id): void {
    const data = event.data;
    const lane = data === undefined ? undefined : this.#lanes.get(data.queue);
    if (data === undefined || lane === undefined || !this.#recent.add(data.lease.attemptId)) return;
    const attempt = new Attempt(event, data, this.host, giver);
    this.#attempts.set(attempt.attemptId, attempt);
    lane.take(attempt);
  }

  /** Some time from then on the server still counted the session as alive. */
  renewedAt(at: number): void {
    this.#renewedAt = Math.max(this.#renewedAt, at);
  }

  drop(attemptId: Id): void {
    this.#attempts.delete(attemptId);
  }

  /**
   * What must be claimed is begun only while its grant certainly holds: an answer that was long under way may bring one whose lease is
   * over, and then somebody looks already for what this attempt has done (I-17).
   */
  #isTooLate({ isClaimed }: Attempt): boolean {
    return isClaimed && performance.now() - this.#renewedAt > GRANT_MS_MAX;
  }

  /** Tells the handlers to stop: all of them, or those whose lease is over after a silence of so long. */
  abort(why: string, silenceMs = Infinity): void {
    for (const attempt of this.#attempts.values()) if (silenceMs > attempt.leaseMs) attempt.abort(why);
  }
}
