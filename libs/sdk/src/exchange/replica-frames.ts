import { LINE_FRAME_BYTES_MAX, type CloudEvent, type TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Reply } from './reply.js';

/** Frames under way at the same time: one held open by the replica, one that brings it news (`architecture.md` §4.2). */
export const FRAMES_MAX = 2;
/** Characters of replies in one frame at most: each is three bytes at most, and what is held needs room too. */
const FRAME_TEXT_MAX = LINE_FRAME_BYTES_MAX / 4;

/** A reply on its way to being settled. */
export interface Owed {
  readonly reply: Reply;
  /** Who carries it now; nobody while no replica is heard. */
  carrier: ReplicaFrames | undefined;
  /** Monotonic: since when it is owed, and when it was last sent. */
  readonly since: number;
  sentAt: number;
  isReady: boolean;
  /** On its way to the durable subject as well. */
  isForwarding: boolean;
}

/** A frame that waits for its answer. */
export interface Frame {
  readonly seq: number;
  readonly sentAt: number;
  readonly replies: readonly Owed[];
  /** Places of each queue that its answer may fill. */
  readonly offers: Map<string, number>;
}

/** The session's frames to one replica: what goes with the next, what is under way, and so how many tasks may still come. */
export class ReplicaFrames {
  readonly frames: Frame[] = [];
  private ready: Owed[] = [];
  private readonly gave = new Map<string, number>();
  /** It failed a moment ago, or answers idle frames at once: no frame before the pause is over. */
  isResting = false;
  failures = 0;
  /** A frame was refused: replies go one by one until it is clear which of them is not acceptable. */
  isOneByOne = false;

  constructor(readonly replica: Id) {}

  get hasReplies(): boolean {
    return this.ready.length > 0;
  }

  carry(owed: Owed): void {
    owed.carrier = this;
    owed.isReady = true;
    this.ready.push(owed);
  }

  /** What the next frame carries. */
  take(now: number): readonly Owed[] {
    const max = this.isOneByOne ? 1 : Infinity;
    const waiting = this.ready.filter((owed) => owed.carrier === this && owed.isReady);
    let count = 0;
    for (let length = 0; count < waiting.length && count < max; count++) {
      length += waiting[count]?.reply.text.length ?? 0;
      if (length > FRAME_TEXT_MAX && count > 0) break;
    }
    const taken = count === waiting.length ? waiting : waiting.slice(0, count);
    this.ready = waiting.slice(count);
    for (const owed of taken) {
      owed.isReady = false;
      owed.sentAt = now;
    }
    return taken;
  }

  begin(frame: Frame): void {
    this.frames.push(frame);
  }

  /** The frame is answered or lost. Tasks of its answer fill places that later frames offered as well: the replica knows that. */
  end(frame: Frame, tasks: readonly CloudEvent<TaskData>[], now: number): void {
    const at = this.frames.indexOf(frame);
    if (at >= 0) this.frames.splice(at, 1);
    for (const { data } of tasks) {
      if (data === undefined) continue;
      this.gave.set(data.queue, now);
      for (const { offers } of this.frames) {
        const offered = offers.get(data.queue) ?? 0;
        if (offered > 0) offers.set(data.queue, offered - 1);
      }
    }
  }

  /** When it last gave a task of the queue, monotonic. */
  gaveAt(queue: string): number {
    return this.gave.get(queue) ?? Number.NEGATIVE_INFINITY;
  }

  /** How many tasks of the queue this replica may still send. */
  reserved(queue: string): number {
    let most = 0;
    for (const { offers } of this.frames) most = Math.max(most, offers.get(queue) ?? 0);
    return most;
  }
}
