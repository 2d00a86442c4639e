import type { ExpectedRevision, StoredEvent, StreamName } from '@cairn/kernel';
import { StoreFault, type AppendResult, type Clock } from '@cairn/ports';
import { BUSY_DEADLINE_MS, busyPauseMs, isBusy, isFull, unavailable, type Connection } from './database.js';
import { Transaction } from './transaction.js';

/** Events of one commit at most: keeps the time for which a commit holds the event loop in the tens of milliseconds. */
const COMMIT_EVENTS_MAX = 4_096;

/**
 * How long a commit waits for company, by the size of the one before it. A commit costs about the same whatever it carries (pages,
 * fsync), so on a busy store waiting a little saves a quarter of the CPU a step (measured with 256 runs in flight: 37 to 58
 * appends a commit); on a quiet one nobody waits.
 */
const GATHERING = [
  { from: 24, ms: 4 },
  { from: 8, ms: 1 },
] as const;

/** A piece of work for the next commit: done under the lock, answered after the commit. */
interface Job {
  readonly events: number;
  readonly work: (transaction: Transaction) => void;
  readonly succeed: () => void;
  readonly fail: (fault: StoreFault) => void;
}

export interface Committed {
  /** Position of the first event; the others follow without a gap. */
  readonly first: number;
  readonly events: readonly StoredEvent[];
}

export interface WriterListener {
  readonly committed: (committed: Committed) => void;
  /** The writer has stopped for good. */
  readonly stopped: (fault: StoreFault) => void;
}

/**
 * Group commit: whatever is asked for within one tick of the event loop (or a few milliseconds of a busy one) shares a transaction
 * and its fsync. All promises of a
 * commit settle after it.
 */
export class Writer {
  private readonly transaction: Transaction;
  private readonly queue: Job[] = [];
  private scheduled = false;
  /** Pieces of work in the last commit. */
  private lastGroup = 0;
  private lockedSince: number | undefined;
  private readonly idle: (() => void)[] = [];
  /** Why nothing may be written any more. */
  stopped: StoreFault | undefined;

  constructor(
    connection: Connection,
    private readonly clock: Clock,
    private readonly tell: WriterListener,
  ) {
    this.transaction = new Transaction(connection);
  }

  append(stream: StreamName, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      let result: AppendResult;
      this.add({
        events: events.length,
        work: (transaction) => {
          result = transaction.append(stream, expected, events);
        },
        succeed: () => resolve(result),
        fail: reject,
      });
    });
  }

  writeBookmark(name: string, value: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.add({ events: 0, work: (transaction) => transaction.writeBookmark(name, value), succeed: resolve, fail: reject });
    });
  }

  /** Resolves when everything that was asked for has been answered. */
  async drained(): Promise<void> {
    if (this.scheduled) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private add(job: Job): void {
    if (this.stopped !== undefined) return job.fail(this.stopped);
    this.queue.push(job);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule();
  }

  private schedule(): void {
    const ms = GATHERING.find(({ from }) => this.lastGroup >= from)?.ms;
    if (ms === undefined) setImmediate(this.tick);
    else this.clock.after(ms, this.tick);
  }

  private readonly tick = (): void => {
    if (this.begin()) this.commitGroup();
    else if (this.lockedSince !== undefined) return void this.clock.after(busyPauseMs(), this.tick); // The queue grows meanwhile.
    this.scheduled = this.queue.length > 0;
    if (this.scheduled) return this.schedule();
    for (const resolve of this.idle.splice(0)) resolve();
  };

  /** Whether the lock is ours. If another process has held it for too long, or the file fails, the whole queue is refused. */
  private begin(): boolean {
    try {
      this.transaction.begin();
      this.lockedSince = undefined;
      return true;
    } catch (error) {
      const now = this.clock.monotonicMs();
      if (isBusy(error)) {
        this.lockedSince ??= now;
        if (now - this.lockedSince <= BUSY_DEADLINE_MS) return false;
      }
      this.lockedSince = undefined;
      this.undo(this.queue.splice(0), unavailable('no transaction', error));
      return false;
    }
  }

  private commitGroup(): void {
    const group = this.takeGroup();
    this.lastGroup = group.length;
    try {
      for (const job of group) job.work(this.transaction);
      this.transaction.flush();
    } catch (error) {
      return this.undo(group, unavailable('nothing of this commit is stored', error));
    }
    let committed: Committed;
    try {
      committed = this.transaction.commit();
    } catch (error) {
      return this.afterFailedCommit(group, error);
    }
    for (const job of group) job.succeed();
    if (committed.events.length > 0) this.tell.committed(committed);
  }

  private takeGroup(): Job[] {
    let events = 0;
    const end = this.queue.findIndex((job, i) => (events += job.events) > COMMIT_EVENTS_MAX && i > 0);
    return this.queue.splice(0, end < 0 ? this.queue.length : end);
  }

  /**
   * A full disk fails before the commit record is written: nothing is stored, and the store goes on when there is room again. Any
   * other failing commit may have failed in fsync, after which the system may have dropped the pages: never tried again (F-23).
   */
  private afterFailedCommit(group: readonly Job[], error: unknown): void {
    if (isFull(error)) return this.undo(group, unavailable('no space: nothing of this commit is stored', error));
    this.stopped = unavailable('stopped after a failed commit; check the disk, then start again', error);
    for (const job of group) job.fail(new StoreFault('append_unknown', 'the commit failed', { cause: error }));
    for (const job of this.queue.splice(0)) job.fail(this.stopped);
    this.tell.stopped(this.stopped);
  }

  private undo(group: readonly Job[], fault: StoreFault): void {
    try {
      this.transaction.rollback();
    } catch (error) {
      this.stopped = unavailable('stopped after a failed rollback', error);
      this.tell.stopped(this.stopped);
    }
    for (const job of group) job.fail(fault);
  }
}
