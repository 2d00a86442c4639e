import type { Id, Revision } from '@cairn/kernel';
import type { RunResultView } from '@cairn/contracts';
import type { RunCompleted, RunEvent, RunFailed, RunGaveUp } from '@cairn/domain-run';
import type { Clock } from '@cairn/ports';
import { holdParam, readQuery, type Query } from '../edge/params.js';
import type { Changes } from '../readmodels/changes.js';
import type { RunRow } from '../readmodels/run-row.js';
import type { RunReader } from './run-reader.js';

export interface AwaitResultParts {
  readonly reader: RunReader;
  /** Told when a run has ended. */
  readonly ends: Changes;
  readonly clock: Clock;
}

/**
 * `GET runs/{id}/result?waitMs=`: answers when the run has ended, or with its state when the time is over. Whoever waits is told by the
 * folded row; the store is read only for a run that is not folded yet, and for whoever does not wait. An imported run goes no further,
 * so nobody is kept waiting for it.
 */
export async function awaitResult(parts: AwaitResultParts, ns: string, run: Id, query: Query): Promise<RunResultView> {
  const { reader, ends, clock } = parts;
  const holdMs = holdParam(readQuery(query, ['waitMs']).waitMs);
  const until = clock.monotonicMs() + holdMs;
  const known = reader.folded(run);
  let row = holdMs > 0 && known?.ns === ns && known.imported === undefined ? known : await reader.row(ns, run);
  while (row.endRevision === undefined) {
    const waitMs = until - clock.monotonicMs();
    if (waitMs <= 0 || row.imported !== undefined) return { run, state: row.state };
    const end = ends.next(run, waitMs);
    if (reader.folded(run)?.endRevision === undefined) await end.arrived;
    end.cancel();
    row = reader.folded(run) ?? row;
  }
  return resultOf(reader, row, row.endRevision);
}

async function resultOf(reader: RunReader, row: RunRow, endRevision: Revision): Promise<RunResultView> {
  const end = await reader.endOf(row, endRevision);
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
