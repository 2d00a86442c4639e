import type { RunResultView, RunView } from '@cairn/contracts';
import { EXIT } from './exit-codes.js';
import type { Context } from './shell.js';
import { brief, oneLine, tail } from './show.js';

const DEFAULT_NS = 'default';
/** One long poll: the server answers at once when the run ends, and whoever waits hears so soon that nothing moves it. */
const POLL_MS = 2_000;

/** Waits for a run's end, however long, prints it, and ends with 1 unless it succeeded. Says once of each time that it is blocked. */
export async function waitForResult(context: Context, run: string): Promise<void> {
  const blocks = new Blocks(context, run);
  let view = await context.client.get<RunResultView>(`runs/${run}/result?waitMs=${POLL_MS}`);
  while (view.state !== 'complete') {
    if (view.state === 'blocked') await blocks.tell();
    view = await context.client.get<RunResultView>(`runs/${run}/result?waitMs=${POLL_MS}`);
  }
  const outcome = view.outcome ?? view.state;
  context.print(
    view,
    () => `${context.paint.state(outcome)} run ${tail(run)}  ${view.message === undefined ? brief(view.output) : oneLine(view.message)}\n`,
  );
  context.exit(outcome === 'succeeded' ? EXIT.ok : EXIT.failed);
}

/** A run that nothing moves but a person: said where progress is said, with the command that tells why. */
class Blocks {
  #told = '';

  constructor(
    private readonly context: Context,
    private readonly run: string,
  ) {}

  async tell(): Promise<void> {
    const { state, sub, since } = await this.context.client.get<RunView>(`runs/${this.run}`);
    const name = sub === undefined ? state : `${state}(${sub})`;
    if (state !== 'blocked' || this.#told === `${name} ${since}`) return;
    this.#told = `${name} ${since}`;
    const { ns } = this.context.client.connection;
    this.context.aside(`${name} run ${tail(this.run)}: npx cairn why ${tail(this.run)}${ns === DEFAULT_NS ? '' : ` --ns ${ns}`}`);
  }
}
