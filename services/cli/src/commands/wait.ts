import type {
  BranchOpenedView,
  CallbackLink,
  Page,
  PreviewWaitRequest,
  Receipt,
  RunView,
  WaitPreviewView,
  WaitView,
} from '@cairn/contracts';
import type { Json } from '@cairn/kernel';
import { spanText } from '@cairn/kernel/span';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { runId, waitId } from '../find-by-tail.js';
import { jsonArgument } from '../json-argument.js';
import { PRINT_EVENT, printEvent } from '../printed-event.js';
import { problem, Refusal, usage } from '../refusal.js';
import { common, commonWithPayload, type Context, type Shell } from '../shell.js';
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

  waitActs(noun, shell);
}

/** What people do with an open wait: ask what it would do, move its times, fire it. */
function waitActs(noun: Command, shell: Shell): void {
  const waitOf = async ({ client }: Context, text: string): Promise<WaitView> =>
    client.get<WaitView>(`waits/${await waitId(client, text)}`);
  const dataOf = (data: string | undefined) =>
    data === undefined ? {} : { data: jsonArgument(data, '--data', shell.surroundings) as never };

  commonWithPayload(noun.command('preview <wait>'))
    .description('what wakes it, the state that returns, and what begins then; with --type whether such an event would match')
    .option('--trigger <n>', 'the trigger that comes, counted from 0')
    .option('--data <json>', 'what it brings: the text, @file, or - for standard input')
    .option('--type <type>', 'an event of this type, in thought')
    .option('--key <key>', 'its key')
    .option('--source <source>', 'who sends it')
    .action(async (text: string, options: PreviewOptions, command: Command) => {
      const context = shell.context(command);
      const { run, wait } = await waitOf(context, text);
      const { type, key, source } = options;
      if (type === undefined && (key !== undefined || source !== undefined))
        throw usage('--key and --source are of an event: name its --type.');
      const said = dataOf(options.data);
      const request: PreviewWaitRequest = {
        ...(options.trigger === undefined ? {} : { trigger: numberOf('--trigger', options.trigger) }),
        ...(type === undefined
          ? said
          : { event: { type, ...(key === undefined ? {} : { key }), ...(source === undefined ? {} : { source }), ...said } }),
      };
      const view = await context.client.post<WaitPreviewView>(`runs/${run}/waits/${wait}:preview`, request);
      context.print(view, () => previewText(view, context));
    });

  common(noun.command('reschedule <wait>'))
    .description('moves its deadline, or when it is stale; it goes on under its id, with what has come')
    .option('--deadline <when>', 'such as 14d from now, an RFC 3339 time, or none')
    .option('--stale-after <when>', 'such as 7d from now, an RFC 3339 time, or none')
    .option('--reason <text>', 'why; it stands in the history')
    .option(...PRINT_EVENT)
    .action(async (text: string, options: RescheduleOptions, command: Command) => {
      const context = shell.context(command);
      const { deadline, staleAfter, reason } = options;
      if (reason === undefined) throw usage('--reason is needed: it stands in the history for good.');
      if (deadline === undefined && staleAfter === undefined) throw usage('Say --deadline, --stale-after, or both.');
      const { run, wait } = await waitOf(context, text);
      const request = {
        ...(deadline === undefined ? {} : { deadline: deadline === 'none' ? null : deadline }),
        ...(staleAfter === undefined ? {} : { staleAfter: staleAfter === 'none' ? null : staleAfter }),
        reason,
      };
      if (options.printEvent === true) {
        return printEvent(context, `cairn.<ns>.run.${run}.wait.reschedule`, 'cairn.wait.reschedule.v1', { wait, ...request });
      }
      const receipt = await context.client.post<Receipt>(`runs/${run}/waits/${wait}:reschedule`, request);
      context.print(receipt, () => `rescheduled wait ${tail(wait)}\n  receipt ${receipt.receiptId}\n`);
    });

  common(noun.command('link <wait> <callback>'))
    .description('a link by which whoever has it may answer, once; it is shown here and stands nowhere else')
    .action(async (...[text, callback, , command]: [string, string, unknown, Command]) => {
      const context = shell.context(command);
      const { run, wait } = await waitOf(context, text);
      const link = await context.client.post<CallbackLink>(`runs/${run}/waits/${wait}:link`, { callback });
      context.print(link, () => `${context.client.connection.url}${link.path}\n`);
    });

  commonWithPayload(noun.command('fire <wait>'))
    .description('goes on as if it had come, on an override branch that says who did it and why')
    .option('--trigger <n>', 'the trigger that is taken to have come, counted from 0')
    .option('--data <json>', 'what it brings: the text, @file, or - for standard input')
    .option('--reason <text>', 'why; it stands in the history')
    .option(...PRINT_EVENT)
    .action(async (text: string, options: FireOptions, command: Command) => {
      const context = shell.context(command);
      if (options.reason === undefined) throw usage('--reason is needed: it stands in the history for good.');
      const view = await waitOf(context, text);
      const { run, wait } = view;
      const trigger = options.trigger === undefined ? {} : { trigger: numberOf('--trigger', options.trigger) };
      const request = { ...trigger, ...dataOf(options.data), reason: options.reason };
      if (options.printEvent === true) {
        const head = await context.client.get<RunView>(`runs/${run}`);
        const came = view.got.length > 0 && !isSingle(view);
        const preview = came
          ? await context.client.post<WaitPreviewView>(`runs/${run}/waits/${wait}:preview`, previewOf(request))
          : undefined;
        const asked = overrideOf(view, head, request, preview?.fires);
        return printEvent(context, `cairn.<ns>.run.${run}.branch.open`, 'cairn.branch.open.v1', asked);
      }
      const opened = await context.client.post<BranchOpenedView>(`runs/${run}/waits/${wait}:fire`, request);
      context.print(opened, () => `fired wait ${tail(wait)}: opened ${opened.branch} of run ${tail(run)}\n  receipt ${opened.receiptId}\n`);
    });
}

interface PreviewOptions {
  readonly trigger?: string;
  readonly data?: string;
  readonly type?: string;
  readonly key?: string;
  readonly source?: string;
}
interface RescheduleOptions {
  readonly deadline?: string;
  readonly staleAfter?: string;
  readonly reason?: string;
  readonly printEvent?: boolean;
}
interface FireOptions {
  readonly trigger?: string;
  readonly data?: string;
  readonly reason?: string;
  readonly printEvent?: boolean;
}

/**
 * A wait that is fired by hand is a branch on which its output is overridden, as of the head that was looked at: there is no event of firing
 * beside that of opening a branch. A preview has no event at all: it only asks.
 */
function overrideOf(
  wait: WaitView,
  { head, revision }: RunView,
  request: { trigger?: number; data?: Json; reason: string },
  fires?: Json,
): object {
  const { trigger = 0, data = null, reason } = request;
  if (wait.state !== 'open') throw new Refusal(problem('wait_closed', 409, `${wait.step} waits for nothing any more.`), EXIT.conflict);
  if (trigger >= wait.triggers.length) throw usage(`--trigger ${trigger}: the wait has ${wait.triggers.length}, counted from 0.`);
  const one = { trigger, data, at: new Date().toISOString() };
  if (fires === null) throw usage(`--trigger ${trigger}: it has come already.`);
  const value = fires ?? (isSingle(wait) ? one : [one]);
  return {
    from: { branch: head, at: revision },
    cause: 'override',
    reason,
    changes: [{ op: 'add', path: `/outputs/${wait.step.replaceAll('~', '~0').replaceAll('/', '~1')}`, value }],
    expectHead: `${head}@${revision}`,
  };
}

const isSingle = ({ mode, keepOpen }: WaitView): boolean => mode === 'any' && keepOpen !== true;

/** A preview takes no reason. */
const previewOf = ({ reason: _, ...asked }: { trigger?: number; data?: Json; reason: string }): object => asked;

function numberOf(option: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw usage(`${option} ${text}: a whole number from 0.`);
  return Number(text);
}

function previewText(view: WaitPreviewView, { paint }: Context): string {
  const { match, next, ends, alsoNeeded, restores } = view;
  const lines: [string, string][] = [
    ['wait', `${view.wait}, step ${view.step}, ${view.branch}@${view.revision}`],
    ...view.triggers.map(({ wants, has, senders }, i): [string, string] => [
      i === 0 ? 'wakes on' : '',
      oneLine(`${wants}${senders.length === 0 ? '' : ` from ${senders.join(' or ')}`}${has ? ', has come' : ''}`),
    ]),
    ...view.clauses.map(({ id, says, holds }, i): [string, string] => [
      i === 0 ? 'may go on if' : '',
      oneLine(`${holds === null ? '?' : holds ? 'yes' : 'NO'}  ${id}: ${says}`),
    ]),
    ['restores', `${restores.checkpoint}${restores.stateDigest === null ? '' : ` ${restores.stateDigest.slice(0, 19)}`}`],
    ['state', view.stateDigest],
    ['deadline', view.deadline ?? 'none'],
    ...(match === undefined
      ? []
      : [
          [
            'event',
            'trigger' in match
              ? `matches trigger ${match.trigger}`
              : `does not match: ${match.clause} expected ${brief(match.expected)}, got ${brief(match.got)}`,
          ] satisfies [string, string],
        ]),
    ...(alsoNeeded.length === 0 ? [] : [['needs also', `trigger ${alsoNeeded.join(', ')}`] satisfies [string, string]]),
    [
      'then',
      [...next.map(({ step, does }) => `${step} ${does}`), ...(ends === undefined ? [] : [`the run ends: ${ends}`])].join(', ') ||
        'nothing',
    ],
  ];
  return lines.map(([name, text]) => `${paint.style('dim', name.padEnd(13))}  ${text}\n`).join('');
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
  if (kind === 'signal' || kind === 'callback') return `${kind} ${name ?? ''}`;
  return [type ?? kind ?? brief(trigger), key === undefined ? '' : `key ${key}`, where === undefined ? '' : `where ${where}`]
    .filter(Boolean)
    .join(' ');
}

function clauses(contract: Readonly<Record<string, unknown>>): string[] {
  const list = contract['clauses'];
  if (!Array.isArray(list)) return [];
  return list.map((clause: { id?: string; says?: string }) => `${clause.id ?? ''}: ${clause.says ?? ''}`);
}
