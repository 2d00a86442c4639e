import type { Usage } from '@cairn/domain-run';
import { runStream } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';
import type { Undecided } from '../working-set/failures.js';

/** What a run had cost up to a failure, in dollars: the usage of all replies, failed and late ones too. Reads the whole stream: few policies ask. */
export async function spentUsd(store: EventStore, { runId, branch, revision }: Undecided): Promise<number> {
  const events = await store.read(runStream(runId, branch), 0, revision);
  return events.reduce((usd, { data }) => usd + ((data['usage'] as Usage | undefined)?.usd ?? 0), 0);
}
