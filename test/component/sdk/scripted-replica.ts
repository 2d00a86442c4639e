import {
  FRAME_HOLD_MS,
  lineSubjects,
  PRESENCE_BEAT_MS,
  subjects,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type ReplyData,
  type TaskData,
} from '@cairn/contracts';
import { idOf, type Id } from '@cairn/kernel';
import { BusFault, type Clock, type Line, type LineMessage, type Timer } from '@cairn/ports';

export const attemptId = (n: number): Id => idOf('attempt', 'spec', n);

export function taskOf(n: number, more: Partial<TaskData> = {}): CloudEvent<TaskData> {
  const data: TaskData = {
    kind: 'task',
    workflow: 'w',
    queue: 'q',
    step: 's',
    attempt: 1,
    attemptsMax: 5,
    input: { n },
    params: {},
    lease: { attemptId: attemptId(n), branch: 'main', epoch: 1 },
    leaseMs: 60_000,
    timeoutMs: 600_000,
    replyTo: subjects.reply('default', 1),
    ...more,
  };
  const id = `${data.lease.attemptId}:0`;
  return { specversion: '1.0', id, source: '/spec', type: 'cairn.task.v1', cairnrun: idOf('run', 'r', n), data };
}

/** Frames after an answer by which what it held must be named (`architecture.md` §4.2). */
const FRAMES_IN_FLIGHT_MAX = 2;

interface Given {
  readonly task: CloudEvent<TaskData>;
  readonly seq: number;
}

/**
 * One replica of execution as a session sees it, for one session: it beats, holds frames, gives tasks within the offer, gives again
 * what is not named two frames later, and takes replies. Which partitions it serves, and what befalls it, is the spec's to say.
 */
export class ScriptedReplica {
  readonly frames: ExchangeRequest[] = [];
  /** Tasks that nobody has. */
  waiting: CloudEvent<TaskData>[] = [];
  /** Numbers of attempts, by what became of their replies. */
  readonly replies: CloudEvent<ReplyData>[] = [];
  /** Replies to attempts that it knows nothing of, which it hands on. */
  readonly forwarded: CloudEvent<ReplyData>[] = [];
  readonly given = new Map<Id, Given>();
  /** It takes replies and forgets to say so. */
  isForgetful = false;
  /** What it says of a reply that it refuses. */
  refuses: (reply: CloudEvent<ReplyData>) => boolean = () => false;
  /** `SIGSTOP`: it hears nothing until it goes on. */
  isMute = false;
  gaveAgain = 0;
  private held: (() => void) | undefined;
  private beating: Timer | undefined;
  private isDead = false;

  constructor(
    readonly id: Id,
    readonly line: Line,
    private readonly clock: Clock,
    /** Replies that are to be recorded for the others, too: what a durable subject would do. */
    private readonly knows: (attemptId: Id) => boolean = () => false,
  ) {
    line.listen(lineSubjects.exchange(id), (message) => {
      if (!this.isMute && message.data.length > 0) this.hear(message);
    });
    this.beat();
  }

  add(...tasks: readonly CloudEvent<TaskData>[]): void {
    this.waiting.push(...tasks);
    this.held?.();
  }

  leave(): void {
    this.line.tell(subjects.presence(this.id), Buffer.from(JSON.stringify({ replica: this.id, leaving: true })));
    this.beating?.cancel();
  }

  /** `kill -9`, as far as one process can play it: its connection is closed. */
  async die(): Promise<void> {
    this.stop();
    await this.line.close();
  }

  /** It does nothing any more. */
  stop(): void {
    this.isDead = true;
    this.beating?.cancel();
  }

  private beat(): void {
    if (!this.isMute) this.line.tell(subjects.presence(this.id), Buffer.from(JSON.stringify({ replica: this.id })));
    this.beating = this.clock.after(PRESENCE_BEAT_MS, () => this.beat());
  }

  private hear(message: LineMessage): void {
    const frame = JSON.parse(Buffer.from(message.data).toString('utf8')) as ExchangeRequest;
    this.frames.push(frame);
    this.held?.();
    const answer = { accepted: [] as string[], late: [] as string[], forwarded: [] as string[] };
    const refused: { id: string; errors: [{ pointer: string; rule: string; says: string }] }[] = [];
    for (const reply of frame.replies) {
      const attempt = reply.data?.lease.attemptId ?? '';
      if (this.refuses(reply)) refused.push({ id: reply.id, errors: [{ pointer: '/data/output', rule: 'spec', says: 'is refused' }] });
      else if (this.given.delete(attempt) || this.knows(attempt)) {
        this.replies.push(reply);
        if (!this.isForgetful) answer.accepted.push(reply.id);
      } else if (this.replies.some(({ id }) => id === reply.id)) {
        answer.late.push(reply.id);
      } else {
        this.forwarded.push(reply);
        answer.forwarded.push(reply.id);
      }
    }
    const again = this.missing(frame);
    this.gaveAgain += again.length;
    const send = (tasks: readonly CloudEvent<TaskData>[]): void => {
      for (const task of tasks) this.given.set(task.data?.lease.attemptId ?? '', { task, seq: frame.seq });
      const body = { seq: frame.seq, ...answer, ...(refused.length === 0 ? {} : { refused }), tasks } satisfies ExchangeResponse;
      if (this.isDead) return;
      try {
        message.answer(Buffer.from(JSON.stringify(body)));
      } catch (error) {
        if (!(error instanceof BusFault)) throw error;
      }
    };
    const tasks = [...again, ...this.next(frame)];
    const isNews = tasks.length > 0 || Object.values(answer).some((ids) => ids.length > 0) || refused.length > 0;
    if (isNews) return send(tasks);
    let isSent = false;
    const release = (): void => {
      if (isSent) return;
      isSent = true;
      timer.cancel();
      if (this.held === release) this.held = undefined;
      send(this.next(frame));
    };
    const timer = this.clock.after(FRAME_HOLD_MS, release);
    this.held = release;
  }

  private missing(frame: ExchangeRequest): CloudEvent<TaskData>[] {
    const held = new Set(frame.held);
    return [...this.given].flatMap(([attempt, { task, seq }]) => {
      return !held.has(attempt) && frame.seq >= seq + FRAMES_IN_FLIGHT_MAX ? [task] : [];
    });
  }

  /** What fits into the places that the newest frame offers. */
  private next(frame: ExchangeRequest): CloudEvent<TaskData>[] {
    const newest = this.frames.at(-1) ?? frame;
    const held = new Set(newest.held);
    let free = newest.queues['q'] ?? 0;
    for (const attempt of this.given.keys()) if (!held.has(attempt)) free -= 1;
    return free <= 0 ? [] : this.waiting.splice(0, free);
  }
}
