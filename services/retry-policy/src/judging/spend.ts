import type { Usage } from '@cairn/domain-run';
import { runStream, type Id, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { Undecided } from '../working-set/failures.js';

/**
 * What a run had cost up to a failure, in dollars: the usage of all replies on all its branches, failed and late ones too. Of the failure's
 * branch by revision, of the others by time. Reads whole streams: few policies ask.
 */
export async function spentUsd(store: EventStore, { runId, branch, revision, at }: Undecided): Promise<number> {
  let usd = 0;
  for await (const [name, events] of branchesOf(store, runId))
    for (const event of events) {
      const before = name === branch ? event.revision <= revision : event.at <= at;
      if (before) usd += (event.data['usage'] as Usage | undefined)?.usd ?? 0;
    }
  return usd;
}

/** Every branch of a run, from `main` on: each is named by an event of the one from which it was opened. */
async function* branchesOf(store: EventStore, runId: Id): AsyncGenerator<readonly [string, readonly StoredEvent[]]> {
  const open = ['main'];
  for (const name of open) {
    const events = await store.read(runStream(runId, name));
    yield [name, events];
    for (const { type, data } of events) {
      const opened = type === 'BranchSuperseded' ? data['successor'] : type === 'ShadowOpened' ? data['branch'] : undefined;
      if (typeof opened === 'string' && !open.includes(opened)) open.push(opened);
    }
  }
}
