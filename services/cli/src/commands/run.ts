import type { HistoryView, Page, Receipt, RunView, StartRunResponse } from '@cairn/contracts';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { historyText } from '../history-text.js';
import { runId } from '../find-by-tail.js';
import { jsonArgument } from '../json-argument.js';
import { receiptText } from '../receipt-text.js';
import { usage } from '../refusal.js';
import { waitForResult, waitForStart } from '../run-result.js';
import { runTable, runText } from '../run-text.js';
import { PRINT_EVENT, printedEvent, printEvent } from '../printed-event.js';
import { common, commonWithPayload, type Shell } from '../shell.js';
import { tail } from '../show.js';
import { watchRun } from '../watch-run.js';
import { bundleCommands } from './run-bundle.js';
import { controlCommands } from './run-control.js';
import { verifyCommand } from './run-verify.js';

/** A place in a history: a plain number is of the first branch. */
const BEGIN = /^(?:[a-z][a-z0-9]*@)?\d+$/;

export function runCommands(root: Command, shell: Shell): void {
  const noun = root.command('run').description('runs: start, look, follow, signal, cancel, pause, verify, export, import');
  start(noun, shell);
  list(noun, shell);
  show(noun, shell);
  state(noun, shell);
  history(noun, shell);
  watch(noun, shell);
  signal(noun, shell);
  controlCommands(noun, shell);
  bundleCommands(noun, shell);
  verifyCommand(noun, shell);
}

interface StartOptions {
  readonly key?: string;
  readonly input?: string;
  readonly attributes?: string;
  readonly wait?: true;
  readonly printEvent?: true;
}

function start(noun: Command, shell: Shell): void {
  common(noun.command('start <workflow>'))
    .description('starts a run, or finds the one that its key already has')
    .option('--key <key>', 'one key starts one run, for ever')
    .option('--input <json>', 'JSON, @file or -')
    .option('--attributes <json>', 'scalars to search by')
    .option('--wait', 'wait for its end; ends with 1 if it does not succeed')
    .option(...PRINT_EVENT)
    .action(async (workflow: string, options: StartOptions, command: Command) => {
      const context = shell.context(command);
      const given = (text: string | undefined, name: string): object =>
        text === undefined ? {} : { [name]: jsonArgument(text, `--${name}`, shell.surroundings) };
      const body = {
        ...(options.key === undefined ? {} : { key: options.key }),
        ...given(options.input, 'input'),
        ...given(options.attributes, 'attributes'),
      };
      if (options.printEvent === true) return printEvent(context, `cairn.<ns>.run.start.${workflow}`, 'cairn.run.start.v1', body);
      const started = await context.client.post<StartRunResponse>(`workflows/${encodeURIComponent(workflow)}/runs`, body);
      if (options.wait !== true) return context.print(started, () => startedText(started));
      if (started.outcome === 'pending') {
        context.aside(startedText(started).trimEnd());
        await waitForStart(context, started.receiptId);
      }
      context.aside(`${started.outcome} run ${tail(started.runId)}, waiting for its end (Ctrl-C ends the waiting, not the run)`);
      await waitForResult(context, started.runId);
    });
}

/** Nobody has said yet that it began: the receipt will, and the command given again with the same key starts no second run. */
function startedText({ outcome, runId: run, receiptId }: StartRunResponse): string {
  const line = `${outcome} run ${tail(run)}  ${run}\n`;
  if (outcome !== 'pending') return line;
  return [
    line,
    `  the start is accepted, and not made yet: scheduling, execution, the bus or the event store is slow or away (npx cairn doctor)\n`,
    `  receipt ${receiptId}: look with npx cairn event show ${receiptId}\n`,
  ].join('');
}

function list(noun: Command, shell: Shell): void {
  common(noun.command('list'))
    .description('runs, the newest first')
    .option('--state <state>', 'active, blocked, waiting, retrying, in_review, escalated or complete')
    .option('--sub <sub>', 'its sub-state: reduced, paused, recovery, rate_limited, …')
    .option('--workflow <name>')
    .option('--cause <cause>', 'with a branch that was opened for this: fallback, reduced_scope, override, correction, …')
    .option('--bucket <bucket>', 'with a failure that was judged so: upstream_5xx, timeout, …')
    .option('--stale', 'whose wait is older than it should be')
    .option('--older-than <span>', 'in its state for so long at least, such as 2h or 3d')
    .option(
      '--attr <name=value>',
      'with this attribute; again for more',
      (value: string, before: readonly string[]) => [...before, value],
      [] as readonly string[],
    )
    .option('--limit <n>', 'at most so many')
    .option('--cursor <cursor>', 'the page after this one, as its answer says')
    .action(async (options: ListOptions, command: Command) => {
      const context = shell.context(command);
      const query = new URLSearchParams();
      for (const name of LIST_FILTERS) if (options[name] !== undefined) query.set(name, options[name]);
      if (options.stale === true) query.set('stale', 'true');
      for (const pair of options.attr) {
        const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
        if (!pair.includes('=') || name === '') throw usage(`--attr ${pair}: say <name>=<value>.`);
        query.set(`attr.${name}`, value);
      }
      const page = await context.client.get<Page<RunView>>(`runs?${query}`);
      context.print(page, () => runTable(page, context.paint));
    });
}

const LIST_FILTERS = ['state', 'sub', 'workflow', 'cause', 'bucket', 'olderThan', 'limit', 'cursor'] as const;
type ListOptions = Partial<Record<(typeof LIST_FILTERS)[number], string>> & { readonly stale?: boolean; readonly attr: readonly string[] };

function show(noun: Command, shell: Shell): void {
  common(noun.command('show <run>'))
    .description('one run: its state, since when, what flags it')
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const run = await context.client.get<RunView>(`runs/${await runId(context.client, text)}`);
      context.print(run, () => runText(run, context.paint));
    });
}

function state(noun: Command, shell: Shell): void {
  common(noun.command('state <run>'))
    .description('the whole state, path and ledger, folded up to a revision')
    .option('--at <branch@revision>', 'for example main@17 (default: now)')
    .option('--as-of <branch@revision>', 'the same')
    .action(async (text: string, { at, asOf }: { at?: string; asOf?: string }, command: Command) => {
      const context = shell.context(command);
      const place = at ?? asOf;
      if (place !== undefined && !/^[a-z][a-z0-9]*@\d+$/.test(place))
        throw usage(`--at: '${place}' is no place in a history, such as main@17.`);
      const query = place === undefined ? '' : `?at=${encodeURIComponent(place)}`;
      const view = await context.client.get<object>(`runs/${await runId(context.client, text)}/state${query}`);
      context.print(view, () => `${JSON.stringify(view, null, 2)}\n`);
    });
}

function history(noun: Command, shell: Shell): void {
  common(noun.command('history <run>'))
    .description('every stored event, branch after branch')
    .option('--branch <name>', 'of this branch alone')
    .option('--from <revision>', 'begin there: 17, or b2@17 on another branch')
    .option('--limit <n>', 'at most so many')
    .action(async (text: string, options: Record<'branch' | 'from' | 'limit', string | undefined>, command: Command) => {
      const context = shell.context(command);
      const query = new URLSearchParams();
      for (const name of ['branch', 'from', 'limit'] as const) if (options[name] !== undefined) query.set(name, options[name]);
      const view = await context.client.get<HistoryView>(`runs/${await runId(context.client, text)}/history?${query}`);
      context.print(view, () => historyText(view, context.paint));
    });
}

function watch(noun: Command, shell: Shell): void {
  common(noun.command('watch <run>'))
    .description(
      'prints each event as it happens, from branch to branch, until the run ends; goes on when the server is away and comes back',
    )
    .option('--from <revision>', 'begin there: 17, or b2@17 on another branch (default: the first event)')
    .action(async (text: string, { from }: { from?: string }, command: Command) => {
      const context = shell.context(command);
      if (from !== undefined && !BEGIN.test(from)) throw usage(`--from: '${from}' is no revision, such as 17 or b2@17.`);
      const end = await watchRun(context, await runId(context.client, text), from);
      context.exit(end.succeeded ? EXIT.ok : EXIT.failed);
    });
}

function signal(noun: Command, shell: Shell): void {
  commonWithPayload(noun.command('signal <run> <name>'))
    .description('sends a signal to a run; one that nobody waits for yet is kept')
    .option('--data <json>', 'JSON, @file or -')
    .option(...PRINT_EVENT)
    .action(async (text: string, name: string, { data, printEvent: asEvent }: { data?: string; printEvent?: true }, command: Command) => {
      const context = shell.context(command);
      const body = data === undefined ? {} : { data: jsonArgument(data, '--data', shell.surroundings) };
      const run = await runId(context.client, text);
      if (asEvent === true) {
        // What a signal brings is the data of its event.
        const { event, subject } = printedEvent(`cairn.<ns>.run.${run}.signal.${name}`, 'cairn.run.signal.v1', {});
        const { data: _, ...rest } = event;
        const shown = { subject, event: { ...rest, ...body } };
        return context.print(shown, () => `${JSON.stringify(shown)}\n`);
      }
      const receipt = await context.client.post<Receipt>(`runs/${run}/signals/${encodeURIComponent(name)}`, body);
      context.print(receipt, () => receiptText(receipt, context.paint));
    });
}
