import type { WhyView } from '@cairn/contracts';
import { spanText } from '@cairn/kernel/span';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import type { Paint } from '../paint.js';
import { common, type Shell } from '../shell.js';
import { oneLine, tail } from '../show.js';

export function whyCommand(root: Command, shell: Shell): void {
  common(root.command('why <run>'))
    .description('who has the ball: what the run waits for, in one sentence, and the next command')
    .option(
      '--not [receipt]',
      'what did not move it and where that failed: of an event that you name by its receipt, else of what nearly did',
    )
    .action(async (text: string, { not }: { not?: string | true }, command: Command) => {
      const context = shell.context(command);
      const run = await runId(context.client, text);
      const query = not === undefined ? '' : `?not=${not === true ? '' : encodeURIComponent(not)}`;
      const view = await context.client.get<WhyView>(`runs/${run}/why${query}`);
      context.print(view, () => whyText(view, context.paint));
    });
}

function whyText({ run, state, sub, since, because, not = [] }: WhyView, paint: Paint): string {
  const name = sub === undefined ? state : `${state}(${sub})`;
  const head = `${paint.state(state, name)} for ${spanText(Date.now() - Date.parse(since))}  ${paint.style('dim', `run ${tail(run)}`)}`;
  const reasons = because.flatMap(({ says, next }) => [`  ${oneLine(says)}`, `  ${paint.style('dim', 'next')}  ${oneLine(next)}`]);
  const missed = not.map(({ says }) => `  ${paint.style('yellow', 'not')}   ${oneLine(says)}`);
  return [head, ...reasons, ...missed].map((line) => `${line}\n`).join('');
}
