import type { Page, WaitView } from '@cairn/contracts';
import { spanText } from '@cairn/kernel';
import type { Command } from 'commander';
import { runId, waitId } from '../find-by-tail.js';
import { usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { brief, clock, oneLine, table, tail } from '../show.js';

export function waitCommands(root: Command, shell: Shell): void {
  const noun = root.command('wait').description('what runs are waiting for');

  common(noun.command('list'))
    .description('the open waits, or all waits of one run')
    .option('--type <type>', 'that wait for events of this type, or for a timer or signal')
    .option('--run <run>', 'of this run, closed ones too')
    .action(async ({ type, run }: { type?: string; run?: string }, command: Command) => {
      const context = shell.context(command);
      if (type !== undefined && run !== undefined) throw usage('--type is for the open waits of all runs: leave out --run.');
      const path =
        run === undefined
          ? `waits${type === undefined ? '' : `?type=${encodeURIComponent(type)}`}`
          : `runs/${await runId(context.client, run)}/waits`;
      const page = await context.client.get<Page<WaitView>>(path);
      context.print(page, () => waitTable(page.items, context));
    });

  common(noun.command('show <wait>'))
    .description('one wait: what wakes it, what came, its deadline, its contract')
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const wait = await context.client.get<WaitView>(`waits/${await waitId(context.client, text)}`);
      context.print(wait, () => waitText(wait, context));
    });
}

function waitTable(waits: readonly WaitView[], { paint }: Context): string {
  const rows = waits.map((wait) => [
    tail(wait.wait),
    tail(wait.run),
    wait.workflow,
    wait.step,
    wait.stale ? `${wait.state}, stale` : wait.state,
    spanText(Date.now() - Date.parse(wait.openedAt)),
    wait.deadline === null ? 'none' : spanText(Date.parse(wait.deadline) - Date.now()),
    wait.triggers.map(triggerText).join(wait.mode === 'any' ? ' or ' : ', '),
  ]);
  return table(['WAIT', 'RUN', 'WORKFLOW', 'STEP', 'STATE', 'AGE', 'DEADLINE IN', 'WAKES ON'], rows, (text) => paint.style('bold', text));
}

function waitText(wait: WaitView, { paint }: Context): string {
  const lines: [string, string][] = [
    ['wait', `${wait.wait}, ${paint.state(wait.state)}${wait.stale ? paint.state('stale', ', stale') : ''}`],
    ['run', `${wait.run}, ${wait.workflow}, ${wait.branch}, step ${wait.step}`],
    ...wait.triggers.map((trigger, i): [string, string] => [i === 0 ? `wakes on ${wait.mode}` : '', oneLine(triggerText(trigger))]),
    ...wait.got.map(({ trigger, eventId, at, kept }): [string, string] => [
      'got',
      `trigger ${trigger} by ${tail(eventId)} at ${at}${kept ? ', kept until the wait opened' : ''}`,
    ]),
    ['opened', wait.openedAt],
    ['deadline', wait.deadline ?? 'none'],
    ['stale from', wait.staleAt ?? 'never'],
    ...(wait.endedAt === undefined ? [] : [['ended', wait.endedAt] satisfies [string, string]]),
    ...clauses(wait.contract).map((says, i): [string, string] => [i === 0 ? 'contract' : '', oneLine(says)]),
  ];
  return lines.map(([name, text]) => `${paint.style('dim', name.padEnd(13))}  ${text}\n`).join('');
}

/** A trigger as a person says it: the event with key and condition, the signal, the clock time. */
export function triggerText(trigger: Readonly<Record<string, unknown>>): string {
  const { kind, type, key, where, name, at } = trigger as Record<string, string | undefined>;
  if (kind === 'timer') return `timer ${at === undefined ? '' : clock(at)}`.trim();
  if (kind === 'signal') return `signal ${name ?? ''}`;
  return [type ?? kind ?? brief(trigger), key === undefined ? '' : `key ${key}`, where === undefined ? '' : `where ${where}`]
    .filter(Boolean)
    .join(' ');
}

function clauses(contract: Readonly<Record<string, unknown>>): string[] {
  const list = contract['clauses'];
  if (!Array.isArray(list)) return [];
  return list.map((clause: { id?: string; says?: string }) => `${clause.id ?? ''}: ${clause.says ?? ''}`);
}
