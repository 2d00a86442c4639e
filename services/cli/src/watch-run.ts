import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResultView, StoredEventView } from '@cairn/contracts';
import { EXIT } from './exit-codes.js';
import { endOf, eventLine } from './event-line.js';
import { Refusal } from './refusal.js';
import type { Context } from './shell.js';
import { sseMessages } from './sse.js';

/** A server that was killed is looked for so long, at first after 100 ms, at last every second. */
const PATIENCE_MS = 60_000;
const FIRST_MS = 100;
const LAST_MS = 1_000;

/**
 * Prints a run's events from `from` (`17`, or `b2@17`) until it ends, from branch to branch. Survives the server: goes on after the last
 * event that was printed.
 */
export async function watchRun(context: Context, run: string, from: string | undefined): Promise<{ readonly succeeded: boolean }> {
  const seen = new Seen();
  let last: string | undefined;
  let end: ReturnType<typeof endOf>;
  let waitMs = FIRST_MS;
  let awaySince: number | undefined;
  for (;;) {
    try {
      for await (const { id, event } of streamed(context, run, from, last)) {
        if (awaySince !== undefined) context.aside('server is back');
        awaySince = undefined;
        waitMs = FIRST_MS;
        if (!seen.isNew(event)) continue;
        last = id;
        context.surroundings.out(context.json ? `${JSON.stringify(event)}\n` : `${eventLine(event, context.paint)}\n`);
        end = endOf(event);
      }
      if (end !== undefined) return end; // The last that there was: a run that had ended may have been recovered.
      // The stream ended without the run's end: the server drains, or the run was over before `from`.
      const view = await context.client.get<RunResultView>(`runs/${run}/result`);
      if (view.state === 'complete') return { succeeded: view.outcome === 'succeeded' };
    } catch (error) {
      if (error instanceof Refusal && error.exitCode !== EXIT.unreachable) throw error;
      if (awaySince === undefined) context.aside('server is away, trying again');
      awaySince ??= performance.now();
      if (performance.now() - awaySince > PATIENCE_MS) throw error;
    }
    await sleep(waitMs);
    waitMs = Math.min(LAST_MS, waitMs * 2);
    context.reconnect();
  }
}

async function* streamed(
  context: Context,
  run: string,
  from: string | undefined,
  last: string | undefined,
): AsyncGenerator<{ readonly id: string | undefined; readonly event: StoredEventView }> {
  const headers = { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) };
  const query = from === undefined ? '' : `?from=${encodeURIComponent(from)}`;
  const response = await context.client.open({ method: 'GET', path: `runs/${run}/stream${query}`, headers });
  for await (const { id, data } of sseMessages(response)) {
    const event = JSON.parse(data) as StoredEventView;
    if (typeof event.type === 'string' && typeof event.revision === 'number') yield { id, event };
  }
}

/** Streams deliver at least once: an event is printed once. */
class Seen {
  readonly #last = new Map<string, number>();

  isNew({ stream, revision }: StoredEventView): boolean {
    if (revision <= (this.#last.get(stream) ?? -1)) return false;
    this.#last.set(stream, revision);
    return true;
  }
}
