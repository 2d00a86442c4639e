import type { WhyView } from '@cairn/contracts';
import { spanText } from '@cairn/kernel';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import type { Paint } from '../paint.js';
import { common, type Shell } from '../shell.js';
import { oneLine, tail } from '../show.js';

export function whyCommand(root: Command, shell: Shell): void {
  common(root.command('why <run>'))
    .description('who has the ball: what the run waits for, in one sentence, and the next command')
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const view = await context.client.get<WhyView>(`runs/${await runId(context.client, text)}/why`);
      context.print(view, () => whyText(view, context.paint));
    });
}

function whyText({ run, state, sub, since, because }: WhyView, paint: Paint): string {
  const name = sub === undefined ? state : `${state}(${sub})`;
  const head = `${paint.state(state, name)} for ${spanText(Date.now() - Date.parse(since))}  ${paint.style('dim', `run ${tail(run)}`)}`;
  const reasons = because.flatMap(({ says, next }) => [`  ${oneLine(says)}`, `  ${paint.style('dim', 'next')}  ${oneLine(next)}`]);
  return [head, ...reasons].map((line) => `${line}\n`).join('');
}
