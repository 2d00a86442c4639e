import type { Entry, Session } from './session.js';

/** Somebody who polls for tasks of one queue. */
export interface Poller {
  readonly max: number;
  readonly take: (entries: readonly Entry[]) => void;
}

/** Tasks of one queue that nobody has, oldest first, and who would take them. */
export class WorkQueue {
  private waiting: Entry[] = [];
  private next = 0;
  private readonly sessions = new Set<Session>();
  private readonly pollers = new Set<Poller>();
  /** When a poll was last under way, monotonic. */
  polledAt = Number.NEGATIVE_INFINITY;

  constructor(readonly name: string) {}

  push(entry: Entry): void {
    this.waiting.push(entry);
  }

  /** The oldest entry that is still waiting; entries that were settled or paused meanwhile are passed over. */
  shift(): Entry | undefined {
    while (this.next < this.waiting.length) {
      const entry = this.waiting[this.next++];
      if (this.next > 1_024 && this.next * 2 > this.waiting.length) {
        this.waiting = this.waiting.slice(this.next);
        this.next = 0;
      }
      if (entry?.phase === 'waiting' && !entry.paused) return entry;
    }
    this.waiting = [];
    this.next = 0;
    return undefined;
  }

  unshift(entry: Entry): void {
    if (this.next > 0) this.waiting[--this.next] = entry;
    else this.waiting.unshift(entry);
  }

  join(session: Session): void {
    this.sessions.add(session);
  }

  leave(session: Session): void {
    this.sessions.delete(session);
  }

  /** The session whose turn it is, if one can take a task now. Taking turns spreads work over sessions. */
  nextSession(): Session | undefined {
    for (const session of this.sessions) {
      if (!session.canTake(this.name)) continue;
      this.sessions.delete(session);
      this.sessions.add(session);
      return session;
    }
    return undefined;
  }

  poll(poller: Poller): void {
    this.pollers.add(poller);
  }

  endPoll(poller: Poller): void {
    this.pollers.delete(poller);
  }

  /** Answers the polls that wait with nothing. */
  endPolls(): void {
    for (const poller of [...this.pollers]) poller.take([]);
  }

  /** Sessions and polls that would take tasks; one who polled after `since` (monotonic) and works, or will poll again, counts as one. */
  handlers(since: number): number {
    let sessions = 0;
    for (const session of this.sessions) if (session.free.has(this.name)) sessions += 1;
    return sessions + Math.max(this.pollers.size, this.polledAt > since ? 1 : 0);
  }

  nextPoller(): Poller | undefined {
    const poller = this.pollers.values().next().value;
    if (poller !== undefined) this.pollers.delete(poller);
    return poller;
  }
}
