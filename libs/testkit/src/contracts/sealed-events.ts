import { sealAppend, type AppendContext, type DomainEvent, type ExpectedRevision, type StoredEvent, type StreamName } from '@cairn/kernel';

const AT = '2026-01-01T00:00:00.000Z';

/** Sealed events with short bodies for a place in a stream: `note` makes their content, hence their ids. */
export function sealed(
  stream: StreamName,
  expected: ExpectedRevision,
  notes: readonly string[],
  more: Partial<AppendContext> = {},
): StoredEvent[] {
  const events = notes.map((note): DomainEvent => ({
    type: note.includes(':') ? note.slice(0, note.indexOf(':')) : 'Noted',
    version: 1,
    data: { note },
  }));
  return sealAppend(
    { stream, expected, prevHash: '', ns: 'main', at: AT, actor: 'service:contract', causationId: 'contract', ...more },
    events,
  );
}

/** Appends of a stream one after the other, each chained to the last. */
export function* chainOf(
  stream: StreamName,
  appends: readonly (readonly string[])[],
): Generator<{ expected: ExpectedRevision; events: StoredEvent[] }> {
  let expected: ExpectedRevision = 'no_stream';
  let prevHash = '';
  for (const notes of appends) {
    const events = sealed(stream, expected, notes, { prevHash });
    yield { expected, events };
    const last = events.at(-1);
    if (last === undefined) return;
    expected = last.revision;
    prevHash = last.metadata.hash;
  }
}

/** A stream's name that is legal and new for each number. */
export const streamNo = (n: number): StreamName => `receipt-${String(n).padStart(26, '0')}`;
