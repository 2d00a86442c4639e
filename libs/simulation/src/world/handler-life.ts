import type { CloudEvent, ReplyData, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { Pcg32 } from '@cairn/simulated';
import type { DeskOf } from './desks.js';
import type { World } from './world.js';

/** Tasks that a handler works at side by side. */
export const CAPACITY = 3;

/** One life of a handler process, as the part of it that talks to execution sees it. What a dead one still waits for never comes. */
export interface HandlerLife {
  readonly id: Id;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Pcg32;
  readonly world: World;
  readonly desk: DeskOf;
  /** The life before this one, if it is known. */
  readonly replaces?: Id;
  /** Carries a call there and back. `gone` aborts if this life ends or gives up, and execution hears of it. */
  call<T>(ask: (gone: AbortSignal) => Promise<T>): Promise<T>;
  /** Works at a task with every mishap that may befall; `forget` if it loses track of it, `deliver` when it has an answer. */
  work(task: CloudEvent<TaskData>, deliver: (reply: CloudEvent<ReplyData>) => void, forget: () => void): void;
  /** A reply was settled; answers whether it is to be sent once more. */
  settled(replyId: string, isAccepted: boolean): boolean;
}

export const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
