import type { Usage } from '@cairn/domain-run';
import { readBranches, type EventStore } from '@cairn/ports';
import type { Undecided } from '../working-set/failures.js';

/**
 * What a run had cost up to a failure, in dollars: the usage of all replies on all its branches, failed and late ones too. Of the failure's
 * branch by revision, of the others by time. Reads whole streams: few policies ask.
 */
export async function spentUsd(store: EventStore, { runId, branch, revision, at }: Undecided): Promise<number> {
  let usd = 0;
  for (const [name, events] of await readBranches(store, runId))
    for (const event of events) {
      const before = name === branch ? event.revision <= revision : event.at <= at;
      if (before) usd += (event.data['usage'] as Usage | undefined)?.usd ?? 0;
    }
  return usd;
}
