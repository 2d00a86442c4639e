import type { CloudEvent, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Handler, Outcome } from './handler.js';
import { Lane } from './lane.js';
import { RecentIds } from './recent-ids.js';
import { Attempt, type AttemptHost } from './task.js';

/** What a session has in hand: its attempts, each run once however often it is given, and the places that are free. */
export class Hand {
  readonly #lanes = new Map<string, Lane>();
  readonly #attempts = new Map<Id, Attempt>();
  readonly #recent = new RecentIds();

  /** `ended` is told of each attempt that comes to its end, which is in hand until `drop`. */
  constructor(
    handlers: readonly Handler[],
    private readonly host: AttemptHost,
    ended: (attempt: Attempt, outcome: Outcome) => void,
  ) {
    for (const one of handlers) this.#lanes.set(one.queue, new Lane(one, ended));
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

  drop(attemptId: Id): void {
    this.#attempts.delete(attemptId);
  }

  /** Tells the handlers to stop: all of them, or those whose lease is over after a silence of so long. */
  abort(why: string, silenceMs = Infinity): void {
    for (const attempt of this.#attempts.values()) if (silenceMs > attempt.leaseMs) attempt.abort(why);
  }
}
