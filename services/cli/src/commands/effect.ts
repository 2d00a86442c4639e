import type { EffectView, Page } from '@cairn/contracts';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import type { Paint } from '../paint.js';
import { common, type Shell } from '../shell.js';
import { clock, oneLine, table, tail } from '../show.js';

export function effectCommands(root: Command, shell: Shell): void {
  const noun = root.command('effect').description('what runs did to the world outside, by key');

  common(noun.command('list <run>'))
    .description("a run's effects: intended, confirmed, absent or unknown")
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const page = await context.client.get<Page<EffectView>>(`runs/${await runId(context.client, text)}/effects`);
      context.print(page, () => effectTable(page.items, context.paint));
    });

  common(noun.command('show <run> <key>'))
    .description('one effect: what its target knows it by, and all that the history says of it')
    .action(async (text: string, key: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const run = await runId(context.client, text);
      const effect = await context.client.get<EffectView>(`runs/${run}/effects/${encodeURIComponent(key)}`);
      context.print(effect, () => effectText(effect, context.paint));
    });
}

/** What the target was sent as its key. */
const sentKey = ({ key, suffix }: EffectView): string => (suffix === 0 ? key : `${key}#${suffix}`);

function effectTable(effects: readonly EffectView[], paint: Paint): string {
  const rows = effects.map((effect) => [
    effect.status,
    effect.step,
    effect.guarantee,
    effect.history.filter(({ event }) => event === 'EffectIntended').length.toString(),
    clock(effect.history.at(-1)?.at ?? ''),
    effect.history.at(-1)?.branch ?? '',
    sentKey(effect),
  ]);
  return table(['STATUS', 'STEP', 'GUARANTEE', 'ATTEMPTS', 'LAST', 'BRANCH', 'KEY'], rows, (text) => paint.style('bold', text));
}

/** The longest name of an event that may stand here: `LateResultRecorded`. */
const EVENT_WIDTH = 18;

function effectText(effect: EffectView, paint: Paint): string {
  const lines: [string, string][] = [
    ['effect', `${oneLine(effect.key)}, ${paint.state(effect.status)}`],
    ['sent as', oneLine(sentKey(effect))],
    ['run', `${effect.run}, step ${effect.step}`],
    ['guarantee', effect.guarantee],
    ['meaning', `sha256:${effect.fingerprint}`],
    ...effect.history.map(({ event, branch, revision, at, attemptId, because }): [string, string] => [
      clock(at),
      `${`${branch}@${revision}`.padEnd(8)}  ${event.padEnd(EVENT_WIDTH)}  attempt ${tail(attemptId)}${because === undefined ? '' : `: ${oneLine(because)}`}`,
    ]),
  ];
  return lines.map(([name, text]) => `${paint.style('dim', name.padEnd(12))}  ${text}\n`).join('');
}
