import type { Clock, Randomness } from '@cairn/ports';
import type { Appends } from './appends.js';
import { CALL_DEADLINE_MS } from './deadline.js';
import { unavailable } from './errors.js';
import type { ProposedEvent } from './event-codec.js';
import { BOOKMARK_TYPE, bookmarkStream } from './layout.js';
import type { Reading } from './reading.js';
import { uuidOfHex } from './uuid.js';

/** Named bookmarks: the last event of a stream each, of which `$maxCount` hides the others. */
export class Bookmarks {
  /** Revision of the last event that this process knows of, by name: it spares the writer a read. */
  private readonly revisions = new Map<string, number>();
  private readonly written = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly reading: Reading,
    private readonly appends: Appends,
    private readonly randomness: Randomness,
    /** Told of each bookmark that is written, once: whoever made it may have died before it was set to its length, or lost the store. */
    private readonly firstWritten: (stream: string) => void,
  ) {}

  async read(name: string): Promise<string | undefined> {
    const last = await this.reading.last(bookmarkStream(name));
    if (last === undefined) return undefined;
    this.revisions.set(name, Number(last.revision));
    const data = last.data as { readonly value?: unknown };
    return typeof data.value === 'string' ? data.value : undefined;
  }

  /** Exact revisions here too: of two writers the later one counts, and an unknown outcome is found by its id. */
  async write(name: string, value: string): Promise<void> {
    const stream = bookmarkStream(name);
    const event = eventOf(uuidOfHex(this.randomness.entropy()), value);
    const until = this.clock.monotonicMs() + CALL_DEADLINE_MS;
    let expected = this.revisions.get(name) ?? (await this.lastRevision(stream));
    while (this.clock.monotonicMs() < until) {
      const result = await this.appends.append(stream, expected ?? 'no_stream', [event]);
      if (result.kind === 'appended') {
        this.revisions.set(name, result.revision);
        if (!this.written.has(name)) this.firstWritten(stream);
        this.written.add(name);
        return;
      }
      expected = result.actual === 'no_stream' ? undefined : result.actual;
    }
    throw unavailable(`bookmark ${name}: others write it all the time`);
  }

  private async lastRevision(stream: string): Promise<number | undefined> {
    const last = await this.reading.last(stream);
    return last === undefined ? undefined : Number(last.revision);
  }
}

function eventOf(id: string, value: string): ProposedEvent {
  return { id, type: BOOKMARK_TYPE, isJson: true, data: Buffer.from(JSON.stringify({ value })), metadata: Buffer.from('{}') };
}
