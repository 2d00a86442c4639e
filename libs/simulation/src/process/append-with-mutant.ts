import type { ExpectedRevision, StoredEvent, StreamName } from '@cairn/kernel';
import type { AppendResult } from '@cairn/ports';
import { rewritten } from './rewritten.js';
import type { World } from '../world/world.js';

/** The store's part of the planted bugs: what an append with other rules would do. */
export async function appendWithMutant(
  world: World,
  stream: StreamName,
  expected: ExpectedRevision,
  events: readonly StoredEvent[],
): Promise<AppendResult> {
  const other = rewritten(world, stream, expected, events);
  if (other !== undefined) {
    const stored = await world.store.append(stream, expected, other);
    return stored.kind === 'appended' ? { kind: 'conflict', actual: stored.revision } : stored;
  }
  const result = await world.store.append(stream, expected, events);
  if (result.kind !== 'conflict' || result.actual === 'no_stream') return result;
  const first = expected === 'no_stream' ? 0 : expected + 1;
  if (world.has('M-4') && first + events.length - 1 <= result.actual) {
    // With ids of stream and revision alone, EventStoreDB finds "the same events" there and tells the loser that it has won.
    return { kind: 'appended', revision: first + events.length - 1 };
  }
  if (!world.has('M-1')) return result;
  const { actual } = result;
  const moved = events.map((event, i) => ({
    ...event,
    revision: actual + 1 + i,
    metadata: { ...event.metadata, revision: actual + 1 + i },
  }));
  return world.store.append(stream, actual, moved);
}
