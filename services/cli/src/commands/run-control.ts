import type { Receipt, RunControl, RunView } from '@cairn/contracts';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import { PRINT_EVENT, printEvent } from '../printed-event.js';
import { common, type Shell } from '../shell.js';
import { tail } from '../show.js';

interface Verb {
  readonly verb: RunControl;
  readonly done: string;
  readonly already: string;
  /** Whether a run is so before it is asked for. */
  readonly isSo: (run: RunView) => boolean;
  readonly says: string;
}

const isPaused = ({ state, sub }: RunView): boolean => state === 'blocked' && sub === 'paused';

const verbs: readonly Verb[] = [
  {
    verb: 'cancel',
    done: 'cancelled',
    already: 'already cancelled',
    isSo: ({ state, sub }) => state === 'complete' && sub === 'cancelled',
    says: 'ends a run now, waiting for no handler; what its effects did stays to be found out',
  },
  {
    verb: 'pause',
    done: 'paused',
    already: 'already paused',
    isSo: isPaused,
    says: 'starts nothing more of a run; what comes for it is still taken',
  },
  {
    verb: 'unpause',
    done: 'unpaused',
    already: 'already going on, not paused:',
    isSo: (run) => run.state !== 'complete' && !isPaused(run),
    says: 'goes on with a paused run',
  },
];

/** `run cancel`, `pause`, `unpause`: doing it twice is no mistake; a run that ended otherwise ends with 4. */
export function controlCommands(noun: Command, shell: Shell): void {
  for (const { verb, done, already, isSo, says } of verbs) {
    common(noun.command(`${verb} <run>`))
      .description(says)
      .option('--reason <text>', 'for whoever reads the history')
      .option(...PRINT_EVENT)
      .action(async (text: string, { reason, printEvent: asEvent }: { reason?: string; printEvent?: true }, command: Command) => {
        const context = shell.context(command);
        const run = await runId(context.client, text);
        const request = reason === undefined ? {} : { reason };
        if (asEvent === true) return printEvent(context, `cairn.<ns>.run.${run}.${verb}`, `cairn.run.${verb}.v1`, request);
        // Only for the words of the answer: who asks at the same time may be told that it was he.
        const wasSo = isSo(await context.client.get<RunView>(`runs/${run}`));
        const receipt = await context.client.post<Receipt>(`runs/${run}:${verb}`, request);
        const what = receipt.outcome === 'pending' ? `accepted, and not ${done} yet:` : wasSo ? already : done;
        context.print(receipt, () => `${what} run ${tail(run)}\n  receipt ${receipt.receiptId}\n`);
      });
  }
}
