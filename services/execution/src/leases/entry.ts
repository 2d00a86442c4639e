import type { Entry } from './session.js';
import type { Task } from './task.js';

export function newEntry(task: Task, phase: Entry['phase'], paused: boolean, offeredAt: number, patienceMs: number): Entry {
  return {
    task,
    phase,
    paused,
    session: undefined,
    holder: undefined,
    givenSeq: Infinity,
    takenAt: undefined,
    renewedAt: 0,
    recoverBy: offeredAt + patienceMs,
    offeredAt,
    rung: undefined,
    shared: phase === 'recovering', // Whoever had it before this desk knew it may have it still.
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
