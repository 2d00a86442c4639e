import type { Session } from './session.js';
import type { Task } from './task.js';

/** An open attempt in the desk's books. */
export interface Entry {
  readonly task: Task;
  /** `recovering`: perhaps with somebody who has not been heard yet, until `recoverBy`. */
  phase: 'recovering' | 'waiting' | 'given';
  /** Its run is paused: whoever has it goes on, nobody new gets it. */
  paused: boolean;
  session: Session | undefined;
  /** Who has it, as people are told. */
  holder: string | undefined;
  /** Sequence number of the frame whose answer took it to the session; Infinity until it has left. */
  givenSeq: number;
  /** Monotonic milliseconds. A lease runs from taking, so both mean nothing before that. */
  takenAt: number;
  renewedAt: number;
  recoverBy: number;
  /** Nonce of the claim on record: nobody else may ever have it (`architecture.md` §4.2). */
  grantedTo: string | undefined;
  /** A nonce that was asked for and never answered: its claim may be on record or not. */
  doubtful: string | undefined;
  /** Its claim is being asked for. */
  claiming: boolean;
  lapsing: boolean;
}

export function newEntry(task: Task, phase: Entry['phase'], paused: boolean, recoverBy: number): Entry {
  return {
    task,
    phase,
    paused,
    session: undefined,
    holder: undefined,
    givenSeq: Infinity,
    takenAt: 0,
    renewedAt: 0,
    recoverBy,
    grantedTo: task.nonce,
    doubtful: undefined,
    claiming: false,
    lapsing: false,
  };
}

/** Whether it has left, so that a lease runs: from then on somebody may be at work. */
export const isOut = (entry: Entry): boolean => entry.phase === 'given' && entry.givenSeq !== Infinity;

/** Whether somebody who says so may have it: what must be claimed is with nobody but whom it was granted to. */
export const mayHold = ({ task, grantedTo }: Entry, nonce: string): boolean => !task.claim || grantedTo === nonce;
