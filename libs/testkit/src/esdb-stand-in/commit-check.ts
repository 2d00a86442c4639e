import type { Expected, LogRecord, Proposed } from './records.js';

export interface CommitQuestion {
  readonly stream: string;
  /** All events that were ever written to it, also those that readers are not shown. */
  readonly present: readonly LogRecord[];
  readonly expected: Expected;
  readonly events: readonly Proposed[];
  /** Last record of each id, of any stream. */
  readonly remembered: ReadonlyMap<string, LogRecord>;
  readonly softDeleted: boolean;
}

export type CommitVerdict =
  { readonly kind: 'ok' | 'wrong_version' | 'deleted' } | { readonly kind: 'idempotent'; readonly revision: number };

/**
 * EventStoreDB's rule of whether an append is stored, was stored before, or is refused. Ids alone are compared, never data:
 * - at the current revision everything is stored, whatever its ids;
 * - above it nothing;
 * - below it the ids that stand behind the expected revision decide: all equal is success, any other is refused;
 * - at `any` the server's memory of ids decides, for as long as it lasts.
 */
export function commitCheck(question: CommitQuestion): CommitVerdict {
  const { present, expected, events, softDeleted } = question;
  const current = present.length - 1;
  if (expected === 'stream_exists' && (softDeleted || current < 0)) return { kind: softDeleted ? 'deleted' : 'wrong_version' };
  if (expected === 'any' || expected === 'stream_exists') return byMemory(question);
  const after = expected === 'no_stream' ? -1 : expected;
  if (after > current) return { kind: 'wrong_version' };
  if (after === current) return { kind: 'ok' };
  for (const [i, { id }] of events.entries()) {
    if (present[after + 1 + i]?.id === id) continue;
    return i === 0 && after === -1 && softDeleted ? { kind: 'ok' } : { kind: 'wrong_version' };
  }
  return events.length === 0 ? { kind: 'wrong_version' } : { kind: 'idempotent', revision: after + events.length };
}

function byMemory({ stream, events, remembered }: CommitQuestion): CommitVerdict {
  let last: LogRecord | undefined;
  for (const [i, { id }] of events.entries()) {
    const record = remembered.get(id);
    if (record?.stream !== stream) return { kind: i === 0 ? 'ok' : 'wrong_version' };
    last = record;
  }
  return last === undefined ? { kind: 'ok' } : { kind: 'idempotent', revision: last.revision };
}
