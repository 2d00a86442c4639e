import type { BranchAbandonedView, BranchChange, BranchOpenedView, BranchPlanView, OpenBranchRequest, RunView } from '@cairn/contracts';
import { Option, type Command } from 'commander';
import { branchPlanText } from '../branch-plan-text.js';
import { runId } from '../find-by-tail.js';
import { jsonArgument } from '../json-argument.js';
import { printedEvent } from '../printed-event.js';
import { usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { tail } from '../show.js';

const CAUSES = ['retry_modified', 'fallback', 'reduced_scope', 'override', 'correction', 'what_if'] as const;

interface Options {
  readonly at: string;
  readonly cause: (typeof CAUSES)[number];
  readonly reason?: string;
  readonly set?: readonly string[];
  readonly changes?: string;
  readonly effect?: readonly string[];
  readonly received?: readonly string[];
  readonly evidence?: readonly string[];
  readonly effectReason?: readonly string[];
  readonly lesson?: 'told' | 'untold';
  readonly expectHead?: string;
  readonly shadow?: boolean;
  readonly printEvent?: boolean;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `branch plan` asks, `branch open` does; both take the same words. */
export function branchOpenCommands(noun: Command, shell: Shell): void {
  asking(noun.command('plan <run>'))
    .description('what a branch would keep, run again and take along, and what must be chosen before it may be opened')
    .action(async (text: string, options: Options, command: Command) => {
      const context = shell.context(command);
      const run = await runId(context.client, text);
      const request = await requestOf(context, shell.surroundings, run, { reason: 'planned', ...options });
      const plan = await context.client.post<BranchPlanView>(`runs/${run}/branches:plan`, request);
      context.print(plan, () => branchPlanText(plan));
    });

  asking(noun.command('open <run>'))
    .description('goes on with a run from an earlier point, on a new branch; what happened stays in the history')
    .option('--print-event', 'the event that asks for the same, instead of asking')
    .action(async (text: string, options: Options, command: Command) => {
      const context = shell.context(command);
      const run = await runId(context.client, text);
      if (options.reason === undefined) throw usage('--reason is needed: it stands in the history for good.');
      const request = await requestOf(context, shell.surroundings, run, options);
      if (options.printEvent === true) return context.print(eventOf(run, request), () => `${JSON.stringify(eventOf(run, request))}\n`);
      const opened = await context.client.post<BranchOpenedView>(`runs/${run}/branches`, request);
      context.print(opened, () => `opened ${opened.branch} of run ${tail(run)}\n  receipt ${opened.receiptId}\n`);
    });
}

/** `branch promote` goes on where a shadow led; `branch abandon` gives it up. */
export function shadowCommands(noun: Command, shell: Shell): void {
  common(noun.command('promote <run> <shadow>'))
    .description('goes on with a run where a shadow led, on a branch that acts: from its last checkpoint ahead of what it only assumed')
    .option('--at <point>', 'an earlier point of the shadow', 'promote')
    .addOption(new Option('--cause <cause>', 'why').choices(CAUSES.filter((cause) => cause !== 'what_if')).default('correction'))
    .option('--reason <text>', 'for whoever reads the history')
    .option('--effect <key=choice>', 'reuse or repeat a confirmed effect; again for more', collect)
    .option('--effect-reason <key=text>', 'why an effect is repeated: it has happened already; again for more', collect)
    .option('--received <id=choice>', 'carry or drop what came after the fork, re_ask people; again for more', collect)
    .option('--evidence <place>', 'an event that speaks for it, such as main@12; again for more', collect)
    .option('--expect-head <place>', 'refuse if the head is not there any more')
    .action(async (text: string, shadow: string, options: Options, command: Command) => {
      const context = shell.context(command);
      if (!/^b[1-9]\d{0,3}$/.test(shadow)) throw usage(`'${shadow}' is no shadow, such as b2.`);
      if (options.reason === undefined) throw usage('--reason is needed: it stands in the history for good.');
      const run = await runId(context.client, text);
      const request = await requestOf(context, shell.surroundings, run, { ...options, at: `${shadow}:${options.at}` });
      const opened = await context.client.post<BranchOpenedView>(`runs/${run}/branches`, request);
      context.print(opened, () => `opened ${opened.branch} of run ${tail(run)}, from shadow ${shadow}\n  receipt ${opened.receiptId}\n`);
    });

  common(noun.command('abandon <run> <shadow>'))
    .description('gives up a shadow; what it did stays in the history')
    .option('--reason <text>', 'for whoever reads the history')
    .action(async (text: string, shadow: string, { reason }: { readonly reason?: string }, command: Command) => {
      const context = shell.context(command);
      if (reason === undefined) throw usage('--reason is needed: it stands in the history for good.');
      const run = await runId(context.client, text);
      const done = await context.client.post<BranchAbandonedView>(`runs/${run}/branches/${encodeURIComponent(shadow)}:abandon`, { reason });
      context.print(done, () => `abandoned ${done.branch} of run ${tail(run)}\n`);
    });
}

const asking = (command: Command): Command =>
  common(command)
    .requiredOption(
      '--at <point>',
      'where it grows: a checkpoint, a step (just before it began), a revision, failure; b2:screen.wait on another branch than the head',
    )
    .addOption(new Option('--cause <cause>', 'why').choices(CAUSES).default('correction'))
    .option('--shadow', 'beside the head, acting on nothing; what_if always is')
    .option('--reason <text>', 'for whoever reads the history')
    .option('--set <pointer=value>', 'one change, such as /steps/screen/params/list=2026-11-22; again for more', collect)
    .option('--changes <json>', 'changes as JSON Patch: the text, @file, or - for standard input')
    .option('--effect <key=choice>', 'what becomes of a confirmed effect: reuse, compensate, repeat or ask; again for more', collect)
    .option('--effect-reason <key=text>', 'why an effect is repeated: it has happened already; again for more', collect)
    .option('--received <id=choice>', 'carry or drop what came after the fork, re_ask people; again for more', collect)
    .option('--evidence <place>', 'an event that speaks for it, such as main@12; again for more', collect)
    .addOption(new Option('--lesson <lesson>', 'whether tasks are told of the path that failed').choices(['told', 'untold']))
    .option('--expect-head <place>', 'refuse if the head is not there any more');

async function requestOf(context: Context, surroundings: Shell['surroundings'], run: string, options: Options): Promise<OpenBranchRequest> {
  const changes = changesOf(options, surroundings);
  const { evidence, lesson, expectHead } = options;
  return {
    from: await fromOf(context, run, options.at),
    cause: options.cause,
    reason: options.reason ?? '',
    ...(evidence === undefined ? {} : { evidence }),
    ...(changes.length === 0 ? {} : { changes }),
    ...(options.effect === undefined ? {} : { effects: pairs('--effect', options.effect) as NonNullable<OpenBranchRequest['effects']> }),
    ...(options.effectReason === undefined ? {} : { effectReasons: pairs('--effect-reason', options.effectReason) }),
    ...(options.received === undefined
      ? {}
      : { received: pairs('--received', options.received) as NonNullable<OpenBranchRequest['received']> }),
    ...(lesson === undefined ? {} : { lesson }),
    ...(options.shadow === true || options.cause === 'what_if' ? { shadow: true } : {}),
    ...(expectHead === undefined ? {} : { expectHead }),
  };
}

/** `screen`, `17`, `b2:screen`, `b2@17`: without a branch on the head. */
async function fromOf({ client }: Context, run: string, at: string): Promise<OpenBranchRequest['from']> {
  const [, branch, point] = /^(main|b[1-9]\d{0,3})[:@](.+)$/.exec(at) ?? [];
  if (branch !== undefined && point !== undefined) return { branch, at: point };
  return { branch: (await client.get<RunView>(`runs/${run}`)).head, at };
}

function changesOf({ set = [], changes }: Options, surroundings: Shell['surroundings']): BranchChange[] {
  const listed = changes === undefined ? [] : jsonArgument(changes, '--changes', surroundings);
  if (!Array.isArray(listed)) throw usage('--changes is a list of JSON Patch operations.');
  return [...(listed as BranchChange[]), ...set.map(changeOf)];
}

/** A value that is JSON is that, else a text. */
function changeOf(text: string): BranchChange {
  const [path, value] = split('--set', text);
  try {
    return { op: 'add', path, value: JSON.parse(value) as never };
  } catch {
    return { op: 'add', path, value };
  }
}

const pairs = (option: string, texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(texts.map((text) => split(option, text, text.lastIndexOf('='))));

function split(option: string, text: string, at = text.indexOf('=')): [string, string] {
  if (at <= 0) throw usage(`${option} ${text}: say <name>=<value>.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

// Spelt out: the contracts load what no command line has time for.
const eventOf = (run: string, data: OpenBranchRequest): object =>
  printedEvent(`cairn.<ns>.run.${run}.branch.open`, 'cairn.branch.open.v1', data);
