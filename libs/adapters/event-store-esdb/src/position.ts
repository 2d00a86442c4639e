import { invariant } from '@cairn/kernel';
import type { Position } from '@cairn/ports';

/** Where a record begins in EventStoreDB's log. 64 bits each, so no number holds them; outside this package they are text. */
export interface LogPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

const TEXT = /^(0|[1-9][0-9]{0,18})\/(0|[1-9][0-9]{0,18})$/;

export function positionText({ commit, prepare }: LogPosition): Position {
  return `${commit}/${prepare}`;
}

/** Breaks the invariant for a text that no tail of this store has given. */
export function parsePosition(text: Position): LogPosition {
  const match = TEXT.exec(text);
  invariant(match !== null, `tail after ${text}: not a position of this store`);
  return { commit: BigInt(match[1] ?? 0), prepare: BigInt(match[2] ?? 0) };
}

/** Negative if `a` stands before `b`. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1;
  return a.prepare === b.prepare ? 0 : a.prepare < b.prepare ? -1 : 1;
}
