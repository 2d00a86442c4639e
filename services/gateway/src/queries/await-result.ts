import { runStream, type Id } from '@cairn/kernel';
import type { RunResultView } from '@cairn/contracts';
import type { RunCompleted, RunEvent, RunFailed, RunGaveUp } from '@cairn/domain-run';
import type { Clock, EventStore } from '@cairn/ports';
import { holdParam, readQuery, type Query } from '../edge/params.js';
import type { Changes } from '../readmodels/changes.js';
import type { RunRow } from '../readmodels/run-row.js';
import type { RunReader } from './run-reader.js';

export interface AwaitResultParts {
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly changes: Changes;
  readonly clock: Clock;
}

/**
 * `GET runs/{id}/result?waitMs=`: answers when the run has ended, or with its state when the time is over. The store is read once, so
 * that what was acknowledged counts; after that the folded row tells, since reading at every event would cost more than the run.
 */
export async function awaitResult(parts: AwaitResultParts, ns: string, run: Id, query: Query): Promise<RunResultView> {
  const until = parts.clock.monotonicMs() + holdParam(readQuery(query, ['waitMs']).waitMs);
  let row = await parts.reader.row(ns, run);
  while (row.endRevision === undefined) {
    const waitMs = until - parts.clock.monotonicMs();
    if (waitMs <= 0) return { run, state: row.state };
    const news = parts.changes.next(run, waitMs);
    const folded = parts.reader.folded(run);
    if (folded === undefined || folded.revision <= row.revision) await news.arrived;
    news.cancel();
    row = parts.reader.folded(run) ?? row;
  }
  return resultOf(parts, row, row.endRevision);
}

async function resultOf({ store, reader }: AwaitResultParts, row: RunRow, endRevision: number): Promise<RunResultView> {
  const [end] = await store.read(runStream(row.run, row.head), endRevision, endRevision);
  const result = { run: row.run, state: row.state, ...(row.sub === null ? {} : { outcome: row.sub }) };
  switch (end?.type as RunEvent['type'] | undefined) {
    case 'RunCompleted':
      return { ...result, output: await reader.value(end?.data as unknown as RunCompleted['data']) };
    case 'RunFailed':
      return { ...result, message: (end?.data as unknown as RunFailed['data']).message };
    case 'RunGaveUp':
      return { ...result, message: (end?.data as unknown as RunGaveUp['data']).rule };
    default:
      return result;
  }
}
