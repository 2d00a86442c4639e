import type { CloudEvent, TaskData } from '@cairn/contracts';
import type { FieldError, Id } from '@cairn/kernel';
import type { Reply } from './exchange/reply.js';
import type { Hand } from './hand.js';
import type { Attempt } from './task.js';

/** What carries a session's frames: HTTP to a gateway, or the line to every replica of execution. */
export interface Carrier {
  /** Brings the reply of an attempt until somebody has it for good. */
  owe(reply: Reply, giver?: Id): void;
  /** Something has changed, so that a frame may be due. */
  wake(): void;
  /** Replies that nobody has settled. */
  readonly owes: number;
  /** No more tasks can come. */
  readonly isQuiet: boolean;
  /** Reports progress of an attempt. `false`: it is not open any more. What cannot be delivered counts as delivered. */
  progress(attempt: Attempt, says: string): Promise<boolean>;
  /** Ends it: nothing is sent any more. Answers the replies that nobody has settled, for the carrier that takes its place. */
  end(): readonly Reply[];
  /** Resolves when, after `end`, its connections are closed. */
  readonly closed: Promise<void>;
}

/** What a carrier knows of its session. */
export interface Carried {
  readonly id: Id;
  /** Who works, for people and for the history. */
  readonly name: string;
  readonly hand: Hand;
  /** It takes nothing new. */
  readonly isStopping: boolean;
  /** Tasks that came with the answer of a frame; `heard` was told of that frame before. */
  given(tasks: readonly CloudEvent<TaskData>[], giver?: Id): void;
  /** A frame that was sent at a time (of `performance.now()`) has been answered: the leases were renewed no earlier than then. */
  answered(sentAt: number): void;
  /** Replies were settled, or a frame was answered. */
  changed(): void;
  /** The text that goes instead of a reply which nobody will ever take: the same attempt, ended as failed. */
  instead(reply: Reply, problem: string): Reply;
  /** The server is reached in another way by now. */
  moved(): void;
  /** A line for people. */
  say(line: string): void;
}

/** What is wrong with a reply, as one line. */
export const problemText = (errors: readonly FieldError[]): string =>
  errors.map(({ pointer, says }) => `${pointer} ${says}`.trim()).join('; ');
