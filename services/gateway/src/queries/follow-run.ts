import { storedEventView } from '@cairn/contracts';
import type { BranchPoint } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import { FIRST_BRANCH } from '@cairn/ports';
import { beginParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { Changes } from '../readmodels/changes.js';
import type { RunRow } from '../readmodels/run-row.js';
import type { RunReader } from './run-reader.js';
import { noBranch } from './whole-run.js';

/** Streams that are open at once: each costs a socket and some memory (B-44). */
export const STREAMS_MAX = 1_000;
/** A comment is sent at least so often, or proxies take the stream for dead. */
const BEAT_MS = 15_000;

const MEDIA_TYPE = 'text/event-stream';
export const streamHeaders = { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store', 'x-accel-buffering': 'no' } as const;

/**
 * Follows runs for SSE (WHATWG HTML §9.2): one message an event, from any revision on, from branch to branch, until the run has ended. The
 * id of a message is its revision on the first branch, `b2@17` on others.
 */
export class RunStreams {
  private open = 0;
  private stopped = false;

  constructor(private readonly parts: { readonly reader: RunReader; readonly changes: Changes }) {}

  /** Checks what was asked; the text then comes from `text` while somebody reads it. `lastEventId` counts before `from=`. */
  async start(ns: string, run: Id, query: Query, lastEventId: string | string[] | undefined): Promise<AsyncGenerator<string>> {
    const { from } = readQuery(query, ['from']);
    const resumed = lastEventId === undefined ? undefined : beginParam('Last-Event-ID', String(lastEventId));
    const row = await this.parts.reader.row(ns, run);
    if (this.open >= STREAMS_MAX) refuse('too_many_streams', `At most ${STREAMS_MAX} streams are open at once.`);
    const asked = resumed === undefined ? beginParam('from', from) : { ...resumed, revision: resumed.revision + 1 };
    const first = await this.placeOf(row, asked);
    return this.text(row, first, row.endRevision !== undefined && first.branch === row.head && row.endRevision < first.revision);
  }

  stop(): void {
    this.stopped = true;
  }

  /** Where there is something to read: behind the end of a branch that is over, its successor. Refuses `branch_not_found`. */
  private async placeOf(row: RunRow, asked: BranchPoint): Promise<BranchPoint> {
    const { reader } = this.parts;
    const names = await reader.branchesOf(row);
    if (!names.includes(asked.branch)) noBranch(asked.branch, names);
    if (asked.branch === row.head) return asked;
    if ((await reader.read(row, asked.branch, asked.revision, asked.revision)).length > 0) return asked;
    const successor = successorIn(await reader.read(row, asked.branch, 0));
    return successor === undefined ? asked : { branch: successor, revision: 0 };
  }

  private async *text(row: RunRow, from: BranchPoint, over: boolean): AsyncGenerator<string> {
    if (over) return;
    this.open += 1;
    try {
      let { branch, revision } = from;
      while (!this.stopped) {
        const news = this.parts.changes.next(row.run, BEAT_MS);
        try {
          const events = await this.parts.reader.read(row, branch, revision);
          for (const event of events) yield message(branch, event);
          revision += events.length;
          const successor = successorIn(events);
          if (successor !== undefined) {
            branch = successor;
            revision = 0;
            continue;
          }
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

/** Where the run goes on, where these events say so. */
const successorIn = (events: readonly StoredEvent[]): string | undefined =>
  events.findLast(({ type }) => type === 'BranchSuperseded')?.data['successor'] as string | undefined;

/** JSON holds no line feed, so one `data:` line is enough. */
function message(branch: string, event: StoredEvent): string {
  const id = branch === FIRST_BRANCH ? event.revision : `${branch}@${event.revision}`;
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(storedEventView(event))}\n\n`;
}
