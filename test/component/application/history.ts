import { readHead } from '@cairn/application';
import { sealAppend, type DomainEvent, type StoredEvent } from '@cairn/kernel';
import type { EventStore } from '@cairn/ports';

/** An event that counts something. */
export const counted = (by: number, type = 'Counted'): DomainEvent => ({ type, version: 1, data: { by } });

/** Appends behind whatever stands in the stream. */
export async function appendTo(store: EventStore, stream: string, ...events: readonly DomainEvent[]): Promise<readonly StoredEvent[]> {
  const { expected, prevHash } = await readHead(store, stream, undefined, () => undefined);
  const sealed = sealAppend(
    { stream, expected, prevHash, ns: 'default', at: '2026-11-24T08:00:00.000Z', actor: 'service:spec', causationId: 'spec' },
    events,
  );
  await store.append(stream, expected, sealed);
  return sealed;
}
