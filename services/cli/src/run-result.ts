import type { Receipt, RunResultView, RunView } from '@cairn/contracts';
import type { Client } from './client.js';
import { EXIT } from './exit-codes.js';
import { Refusal, refused } from './refusal.js';
import type { Context } from './shell.js';
import { brief, oneLine, tail } from './show.js';

const DEFAULT_NS = 'default';
/** One long poll: the server answers at once when the run ends, and whoever waits hears so soon that nothing moves it. */
const POLL_MS = 2_000;
const RECEIPT_PAUSE_MS = 500;

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

/** Waits until the receipt of a start says that there is a run, however long. Throws what it says when it was refused. */
export async function waitForStart({ client }: Context, receiptId: string): Promise<void> {
  for (;;) {
    const receipt = await receiptOf(client, receiptId);
    if (receipt?.problem !== undefined) {
      const { problemOf } = await import('@cairn/contracts');
      const { code, detail, errors } = receipt.problem;
      throw refused(problemOf(code, detail, errors === undefined ? {} : { errors }));
    }
    if (receipt !== undefined && receipt.outcome !== 'pending') return;
    await new Promise((resolve) => setTimeout(resolve, RECEIPT_PAUSE_MS));
  }
}

/** Nothing while it is not there yet. */
async function receiptOf(client: Client, receiptId: string): Promise<Receipt | undefined> {
  try {
    return await client.get<Receipt>(`events/${receiptId}`);
  } catch (error) {
    if (error instanceof Refusal && error.exitCode === EXIT.notFound) return undefined;
    throw error;
  }
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
