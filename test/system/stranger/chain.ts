// Follows docs/reference/history.md and imports nothing of the product: "An event and its append".
import { canon, digestOf, id, sha256, type Fields, type Value } from './encoding.js';

/** An event as `cairn run history --json` shows it. */
export interface Recorded {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly version: number;
  readonly data: Fields;
  readonly metadata: Fields;
}

const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');

/** The appends that a whole stream was written in. */
export function appendsOf(events: readonly Recorded[]): Recorded[][] {
  const appends: Recorded[][] = [];
  for (const event of events) {
    if (event.metadata['appendFirst'] === event.revision) appends.push([]);
    appends.at(-1)?.push(event);
  }
  return appends;
}

/** Everything that a whole stream's ids, digests and chain break; empty for a good one. */
export function faultsOfStream(events: readonly Recorded[]): string[] {
  const faults: string[] = [];
  let prevHash = '';
  let revision = 0;
  for (const append of appendsOf(events)) {
    const digests = append.map(bodyDigest);
    const appendDigest = digestOf(digests);
    const first = append[0]?.revision ?? 0;
    append.forEach((event, i) => {
      const eventId = id('event', event.stream, event.revision, appendDigest);
      const hash = sha256(prevHash + eventId + (digests[i] ?? ''));
      const { at, actor, causationId } = append[0]?.metadata ?? {};
      const run = /^run-(.+)\+(.+)$/.exec(event.stream);
      const expected: Fields = {
        eventId,
        schemaVersion: event.version,
        ns: text(event.metadata['ns']),
        ...(run === null ? {} : { runId: run[1] ?? '', branch: run[2] ?? '' }),
        revision,
        at: at ?? null,
        actor: actor ?? null,
        causationId: causationId ?? null,
        correlationId: run?.[1] ?? event.stream.slice(event.stream.indexOf('-') + 1),
        appendFirst: first,
        appendCount: append.length,
        prevHash,
        hash,
      };
      const { traceparent: _, ...metadata } = event.metadata;
      if (canon(metadata) !== canon(expected) || event.revision !== revision)
        faults.push(`${event.stream}@${revision}: ${canon(metadata)} instead of ${canon(expected)}`);
      prevHash = hash;
      revision += 1;
    });
  }
  return revision === events.length ? faults : [...faults, 'events outside of any append'];
}

function bodyDigest({ type, version, data, metadata }: Recorded): string {
  const { at, actor, causationId } = metadata;
  return digestOf({ actor: text(actor), at: text(at), causationId: text(causationId), data, type, version });
}
