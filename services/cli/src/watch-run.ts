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

/** Prints a run's events from revision `from` until it ends. Survives the server: goes on after the last event that was printed. */
export async function watchRun(context: Context, run: string, from: number): Promise<{ readonly succeeded: boolean }> {
  const seen = new Seen();
  let waitMs = FIRST_MS;
  let awaySince: number | undefined;
  for (;;) {
    try {
      for await (const event of streamed(context, run, from)) {
        if (awaySince !== undefined) context.aside('server is back');
        awaySince = undefined;
        waitMs = FIRST_MS;
        if (!seen.isNew(event)) continue;
        from = event.revision + 1;
        context.surroundings.out(context.json ? `${JSON.stringify(event)}\n` : `${eventLine(event, context.paint)}\n`);
        const end = endOf(event);
        if (end !== undefined) return end;
      }
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

async function* streamed(context: Context, run: string, from: number): AsyncGenerator<StoredEventView> {
  const headers = { accept: 'text/event-stream', ...(from === 0 ? {} : { 'last-event-id': String(from - 1) }) };
  const response = await context.client.open({ method: 'GET', path: `runs/${run}/stream`, headers });
  for await (const { data } of sseMessages(response)) {
    const event = JSON.parse(data) as StoredEventView;
    if (typeof event.type === 'string' && typeof event.revision === 'number') yield event;
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
