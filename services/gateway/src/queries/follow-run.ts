import { storedEventView } from '@cairn/contracts';
import type { Id, Revision, StoredEvent } from '@cairn/kernel';
import { readQuery, revisionParam, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { Changes } from '../readmodels/changes.js';
import type { RunRow } from '../readmodels/run-row.js';
import type { RunReader } from './run-reader.js';

/** Streams that are open at once: each costs a socket and some memory (B-44). */
export const STREAMS_MAX = 1_000;
/** A comment is sent at least so often, or proxies take the stream for dead. */
const BEAT_MS = 15_000;

const MEDIA_TYPE = 'text/event-stream';
export const streamHeaders = { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store', 'x-accel-buffering': 'no' } as const;

/** Follows runs for SSE (WHATWG HTML §9.2): one message an event, its id the revision, from any revision on, until the run has ended. */
export class RunStreams {
  private open = 0;
  private stopped = false;

  constructor(private readonly parts: { readonly reader: RunReader; readonly changes: Changes }) {}

  /** Checks what was asked; the text then comes from `text` while somebody reads it. `lastEventId` counts before `from=`. */
  async start(ns: string, run: Id, query: Query, lastEventId: string | string[] | undefined): Promise<AsyncGenerator<string>> {
    const { from } = readQuery(query, ['from']);
    const resumed = lastEventId === undefined ? undefined : revisionParam('Last-Event-ID', String(lastEventId));
    const row = await this.parts.reader.row(ns, run);
    if (this.open >= STREAMS_MAX) refuse('too_many_streams', `At most ${STREAMS_MAX} streams are open at once.`);
    const first = resumed === undefined ? (revisionParam('from', from) ?? 0) : resumed + 1;
    return this.text(row, first, row.endRevision !== undefined && row.endRevision < first);
  }

  stop(): void {
    this.stopped = true;
  }

  private async *text(row: RunRow, from: Revision, over: boolean): AsyncGenerator<string> {
    if (over) return;
    this.open += 1;
    try {
      let revision = from;
      while (!this.stopped) {
        const news = this.parts.changes.next(row.run, BEAT_MS);
        try {
          const events = await this.parts.reader.read(row, row.head, revision);
          for (const event of events) yield message(event);
          revision += events.length;
          if (row.imported !== undefined || events.some(({ type }) => ENDS.has(type))) return;
          if (events.length === 0) yield ': beat\n\n';
          await news.arrived;
        } finally {
          news.cancel();
        }
      }
    } finally {
      this.open -= 1;
    }
  }
}

const ENDS: ReadonlySet<string> = new Set(['RunCompleted', 'RunGaveUp', 'RunFailed', 'RunCancelled']);

/** JSON holds no line feed, so one `data:` line is enough. */
const message = (event: StoredEvent): string =>
  `id: ${event.revision}\nevent: ${event.type}\ndata: ${JSON.stringify(storedEventView(event))}\n\n`;
