import { sealAppend, type ExpectedRevision, type StoredEvent } from '@cairn/kernel';
import { openLibsqlEventStore } from '../open.js';

/** What the process is told, once. */
export interface Orders {
  readonly file: string;
  /** A name of its own, which its events carry. */
  readonly writer: string;
  /** Each is written to without end, one append of two events after the other, by re-reading after a conflict. */
  readonly streams: readonly string[];
  /** Appends in all; then the store is closed. */
  readonly appends: number;
}

/** What it says: `opened`, then each append's outcome as soon as it is known, then `closed`. */
export type Report =
  | { readonly kind: 'opened' | 'closed' }
  | { readonly kind: 'appended'; readonly stream: string; readonly revision: number; readonly ids: readonly string[] }
  | { readonly kind: 'conflict'; readonly stream: string }
  | { readonly kind: 'fault'; readonly stream: string; readonly code: unknown };

const say = (report: Report): void => void process.send?.(report);

/** A process that does nothing but append: specs run it to kill it, or to make its disk fail. */
async function main({ file, writer, streams, appends }: Orders): Promise<void> {
  const store = await openLibsqlEventStore({ file });
  say({ kind: 'opened' });
  let left = appends;
  await Promise.all(
    streams.map(async (stream) => {
      let last: StoredEvent | undefined = (await store.read(stream)).at(-1);
      while (left-- > 0) {
        const events = twoEvents(writer, stream, last);
        const expected: ExpectedRevision = last?.revision ?? 'no_stream';
        try {
          const { kind } = await store.append(stream, expected, events);
          if (kind === 'appended') {
            last = events[1];
            say({ kind, stream, revision: expected === 'no_stream' ? 1 : expected + 2, ids: events.map(({ eventId }) => eventId) });
          } else {
            say({ kind, stream });
            last = (await store.read(stream)).at(-1);
          }
        } catch (error) {
          say({ kind: 'fault', stream, code: (error as { readonly code?: unknown }).code });
        }
      }
    }),
  );
  await store.close();
  say({ kind: 'closed' });
}

function twoEvents(writer: string, stream: string, last: StoredEvent | undefined): StoredEvent[] {
  const context = { stream, ns: 'main', at: new Date().toISOString(), actor: 'service:spec', causationId: 'spec' };
  return sealAppend({ ...context, expected: last?.revision ?? 'no_stream', prevHash: last?.metadata.hash ?? '' }, [
    { type: 'First', version: 1, data: { writer } },
    { type: 'Second', version: 1, data: { writer, text: 'x'.repeat(300) } },
  ]);
}

process.once('message', (orders: Orders) => {
  main(orders).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
