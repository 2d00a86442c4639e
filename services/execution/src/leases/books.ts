import { Generations } from '@cairn/application';
import type { Id } from '@cairn/kernel';
import type { Metrics } from '@cairn/ports';
import { isOut } from './entry.js';
import type { Entry, Session } from './session.js';
import type { Task } from './task.js';

/** Closed attempts whose run is remembered, so that a late reply without its run's name still finds its way. */
const CLOSED_REMEMBERED_MAX = 20_000;

export interface BooksOptions {
  readonly metrics: Metrics;
  /** Records that an attempt's lease ran out. Resolves when that is durable or was too late; rejects: judged anew at the next look. */
  readonly lapse: (task: Task, by: 'lease' | 'timeout', message: string) => Promise<void>;
}

/** The attempts that are open as far as the desk knows: who has each of them, and how each of them ends without a reply. */
export class Books {
  private readonly open = new Map<Id, Entry>();
  private readonly closed = new Generations<Id, Id>(CLOSED_REMEMBERED_MAX);

  constructor(private readonly options: BooksOptions) {}

  entries(): Iterable<Entry> {
    return this.open.values();
  }

  get(attemptId: Id): Entry | undefined {
    return this.open.get(attemptId);
  }

  add(entry: Entry): void {
    this.open.set(entry.task.attemptId, entry);
  }

  /** Whether this very entry is open still. */
  isOpen(entry: Entry): boolean {
    return this.open.get(entry.task.attemptId) === entry;
  }

  /** The attempt is over, however it ended. */
  close(attemptId: Id): void {
    const entry = this.open.get(attemptId);
    if (entry === undefined) return;
    this.open.delete(attemptId);
    entry.session?.drop(entry);
    entry.phase = 'given'; // A queue that still lists it passes over it.
    this.closed.set(attemptId, entry.task.runId);
  }

  /** The attempt may be open, but is another replica's to judge. */
  drop(entry: Entry): void {
    this.open.delete(entry.task.attemptId);
    entry.session?.drop(entry);
    entry.phase = 'given';
  }

  /** Whether the desk has had it, open or closed. */
  knows(attemptId: Id): boolean {
    return this.runOf(attemptId) !== undefined;
  }

  runOf(attemptId: Id): Id | undefined {
    return this.open.get(attemptId)?.task.runId ?? this.closed.get(attemptId);
  }

  /** Somebody has the attempt: its lease and its time-out run from now. */
  markGiven(entry: Entry, session: Session | undefined, holder: string, now: number): void {
    if (entry.session !== session) entry.session?.drop(entry);
    entry.phase = 'given';
    entry.session = session;
    entry.holder = holder;
    entry.givenSeq = 0; // Whoever has it has named it.
    entry.takenAt = now;
    entry.renewedAt = now;
    session?.has.set(entry.task.attemptId, entry);
  }

  /** The attempt is lost: recorded, then closed. */
  lapse(entry: Entry, by: 'lease' | 'timeout', message: string): void {
    if (entry.lapsing) return;
    entry.lapsing = true;
    this.options.lapse(entry.task, by, message).then(
      () => this.close(entry.task.attemptId),
      () => {
        entry.lapsing = false; // Judged anew at the next look: the lease has run out all the same.
        entry.renewedAt = Number.NEGATIVE_INFINITY;
        entry.recoverBy = Number.NEGATIVE_INFINITY;
        if (!isOut(entry)) entry.phase = 'recovering';
        this.options.metrics.count('cairn_lapse_faults_total');
      },
    );
  }
}
