import type { RunResultView } from '@cairn/contracts';
import { EXIT } from './exit-codes.js';
import type { Context } from './shell.js';
import { brief, oneLine, tail } from './show.js';

/** One long poll: below what proxies cut. */
const POLL_MS = 25_000;

/** Waits for a run's end, however long, prints it, and ends with 1 unless it succeeded. */
export async function waitForResult(context: Context, run: string): Promise<void> {
  let view: RunResultView;
  do view = await context.client.get<RunResultView>(`runs/${run}/result?waitMs=${POLL_MS}`);
  while (view.state !== 'complete');
  const outcome = view.outcome ?? view.state;
  context.print(
    view,
    () => `${context.paint.state(outcome)} run ${tail(run)}  ${view.message === undefined ? brief(view.output) : oneLine(view.message)}\n`,
  );
  context.exit(outcome === 'succeeded' ? EXIT.ok : EXIT.failed);
}
