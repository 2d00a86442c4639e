import type { Receipt, RunControl } from '@cairn/contracts';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import { common, type Shell } from '../shell.js';
import { tail } from '../show.js';

const verbs: readonly { readonly verb: RunControl; readonly done: string; readonly says: string }[] = [
  { verb: 'cancel', done: 'cancelled', says: 'ends a run now, waiting for no handler; what its effects did stays to be found out' },
  { verb: 'pause', done: 'paused', says: 'starts nothing more of a run; what comes for it is still taken' },
  { verb: 'unpause', done: 'unpaused', says: 'goes on with a paused run' },
];

/** `run cancel`, `pause`, `unpause`: doing it twice is no mistake; a run that ended otherwise ends with 4. */
export function controlCommands(noun: Command, shell: Shell): void {
  for (const { verb, done, says } of verbs) {
    common(noun.command(`${verb} <run>`))
      .description(says)
      .option('--reason <text>', 'for whoever reads the history')
      .action(async (text: string, { reason }: { reason?: string }, command: Command) => {
        const context = shell.context(command);
        const run = await runId(context.client, text);
        const receipt = await context.client.post<Receipt>(`runs/${run}:${verb}`, reason === undefined ? {} : { reason });
        const what = receipt.outcome === 'pending' ? `accepted, and not ${done} yet:` : done;
        context.print(receipt, () => `${what} run ${tail(run)}\n  receipt ${receipt.receiptId}\n`);
      });
  }
}
