import { Generations } from '@cairn/application';
import {
  BEAT_MS,
  FRAME_HOLD_MS,
  type CloudEvent,
  type ExchangeRequest,
  type ExchangeResponse,
  type HangUp,
  type TaskData,
} from '@cairn/contracts';
import type { FieldError, Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import { Fan, type FanHost, type FanParts, type Outcome, type Reply } from '@cairn/sdk/exchange';
import { Stash } from './stash.js';

/** Frames that a session may have under way at once: what left with an answer is named by the second frame after it. */
const FRAMES_IN_FLIGHT_MAX = 2;
/** Silent for so long, it is over: its replicas have given it up long before. */
const SILENCE_MS_MAX = 10 * BEAT_MS;
/** Attempts whose replica is remembered: more than a session may hold twice over. */
const GIVERS_REMEMBERED_MAX = 16_384;

interface OpenFrame {
  readonly seq: number;
  /** Answers with what there is. */
  readonly release: () => void;
}

/**
 * A worker session that comes by HTTP, as the replicas see it. Its frames fan out to each of them; what they answer is merged, and what
 * comes when no frame is open is kept for the next. It says for the session that it holds what is kept here or on its way.
 */
export class HttpSession implements FanHost {
  readonly session: Id;
  handler: string;
  replaces: Id | undefined;
  private readonly fan: Fan;
  private readonly stash = new Stash();
  /** Tasks that have left, by the number of the frame whose answer took them, until the session has named them. */
  private readonly onWay = new Map<Id, { readonly seq: number; readonly queue: string }>();
  private readonly givers = new Generations<Id, Id>(GIVERS_REMEMBERED_MAX);
  private frame: ExchangeRequest;
  private open: readonly OpenFrame[] = [];
  private lastHeard: number;

  constructor(
    parts: Omit<FanParts, 'firstSeq'>,
    first: ExchangeRequest,
    private readonly clock: Clock,
    readonly forward: (reply: Reply) => Promise<void>,
  ) {
    this.session = first.session;
    this.handler = first.handler;
    this.frame = first;
    this.lastHeard = clock.monotonicMs();
    // Another gateway may have carried this session before: its numbers must not go back to where they were.
    this.fan = new Fan({ ...parts, firstSeq: first.seq === 1 ? 1 : clock.now() }, this);
  }

  get queues(): Iterable<string> {
    return Object.keys(this.frame.queues);
  }

  get isOpen(): boolean {
    return this.open.length > 0;
  }

  get isSilent(): boolean {
    return !this.isOpen && this.clock.monotonicMs() - this.lastHeard > SILENCE_MS_MAX;
  }

  /** The highest number of a frame heard. */
  get lastSeq(): number {
    return this.frame.seq;
  }

  free(queue: string): number {
    let free = (this.frame.queues[queue] ?? 0) - this.stash.tasksOf(queue);
    for (const one of this.onWay.values()) if (one.queue === queue) free -= 1;
    return free;
  }

  *held(): Iterable<Id> {
    yield* this.frame.held;
    yield* this.onWay.keys();
    yield* this.stash.attempts();
  }

  /** One frame. `cut` is called if its sender hangs up and no other frame of the session is open. */
  exchange(frame: ExchangeRequest, gone: HangUp | undefined, cut: () => void): Promise<ExchangeResponse> {
    this.hear(frame);
    for (const older of this.open) older.release();
    const answer = this.stash.isEmpty ? this.hold(frame.seq, gone, cut) : Promise.resolve();
    this.fan.wake();
    return answer.then(() => this.collect(frame.seq, gone?.aborted === true));
  }

  given(tasks: readonly CloudEvent<TaskData>[], replica: Id): void {
    for (const task of tasks) {
      if (task.data === undefined) continue;
      this.givers.set(task.data.lease.attemptId, replica);
      this.stash.addTask(task);
    }
    this.news();
  }

  settled(outcome: Outcome, ids: readonly string[]): void {
    this.stash.addSettled(outcome, ids);
    this.news();
  }

  refused(reply: Reply, errors: readonly FieldError[]): undefined {
    this.stash.addRefused(reply.id, errors);
    this.news();
  }

  close(): void {
    this.fan.close();
    for (const { release } of this.open) release();
  }

  private hear(frame: ExchangeRequest): void {
    this.lastHeard = this.clock.monotonicMs();
    if (frame.replaces !== undefined) this.replaces = frame.replaces;
    if (frame.seq >= this.frame.seq) {
      this.frame = frame;
      this.handler = frame.handler;
      for (const attemptId of frame.held) this.onWay.delete(attemptId);
      for (const [attemptId, { seq }] of this.onWay) if (frame.seq >= seq + FRAMES_IN_FLIGHT_MAX) this.onWay.delete(attemptId);
    }
    for (const reply of frame.replies) {
      const attemptId = reply.data?.lease.attemptId ?? '';
      this.onWay.delete(attemptId);
      this.fan.owe({ id: reply.id, attemptId, text: JSON.stringify(reply) }, this.givers.get(attemptId));
      this.givers.delete(attemptId);
    }
  }

  /** Resolves when the frame can be answered: there is news, a newer frame, nobody to be told, or it was held for long enough. */
  private hold(seq: number, gone: HangUp | undefined, cut: () => void): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        timer.cancel();
        gone?.removeEventListener('abort', hungUp);
        this.open = this.open.filter((one) => one !== open);
        resolve();
      };
      const hungUp = (): void => {
        release();
        if (!this.isOpen) cut();
      };
      const open: OpenFrame = { seq, release };
      const timer = this.clock.after(FRAME_HOLD_MS, release);
      this.open = [...this.open, open];
      if (gone?.aborted === true) hungUp();
      else gone?.addEventListener('abort', hungUp);
    });
  }

  private news(): void {
    this.open.at(-1)?.release();
  }

  /** What leaves with the answer to this frame; nothing does where nobody is left to take it. */
  private collect(seq: number, isCut: boolean): ExchangeResponse {
    if (isCut || this.stash.isEmpty) return { seq, accepted: [], late: [], forwarded: [], tasks: [] };
    const answer = this.stash.empty();
    for (const { data } of answer.tasks) if (data !== undefined) this.onWay.set(data.lease.attemptId, { seq, queue: data.queue });
    return { seq, ...answer };
  }
}
