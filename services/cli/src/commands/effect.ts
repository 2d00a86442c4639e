import type { CompensateEffectRequest, EffectView, Page, Receipt, ReconcileEffectRequest } from '@cairn/contracts';
import type { Json } from '@cairn/kernel';
import type { Command } from 'commander';
import { runId } from '../find-by-tail.js';
import type { Paint } from '../paint.js';
import { jsonArgument } from '../json-argument.js';
import { usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { clock, oneLine, table, tail } from '../show.js';

export function effectCommands(root: Command, shell: Shell): void {
  const noun = root.command('effect').description('what runs did to the world outside, by key');

  common(noun.command('list <run>'))
    .description("a run's effects: intended, confirmed, absent, unknown or compensated")
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

  common(noun.command('reconcile <run> <key>'))
    .description('finds out whether an unknown effect has happened: asks the queue that its step names, or takes your word')
    .option('--found', 'it has happened: the step goes on, and nothing is called again')
    .option('--not-found', 'it has not happened, and will not any more: the failed step is judged as any other')
    .option('--result <json>', 'with --found: what the target gave, the output of the step (the text, @file, or - for standard input)')
    .option('--reason <text>', 'how you know: needed with --found and --not-found')
    .option('--print-event', 'the event that asks for the same, instead of asking')
    .action((text: string, key: string, options: ReconcileOptions, command: Command) => {
      if (options.found === true && options.notFound === true) throw usage('--found or --not-found: not both.');
      const said = options.found === true ? true : options.notFound === true ? false : undefined;
      if (said !== undefined && options.reason === undefined)
        throw usage('--reason is needed: say how you know. It stands in the history for good.');
      const data: ReconcileEffectRequest = {
        ...(said === undefined ? {} : { found: said }),
        ...(options.result === undefined ? {} : { result: jsonArgument(options.result, '--result', shell.surroundings) as Json }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
      const done = said === undefined ? 'asked what became of' : said ? 'said to have happened:' : 'said not to have happened:';
      return ask(shell.context(command), { text, key, verb: 'reconcile', data, done, print: options.printEvent === true });
    });

  common(noun.command('compensate <run> <key>'))
    .description('undoes a confirmed effect, by the queue that its step names; also of a run that has ended')
    .requiredOption('--reason <text>', 'why: it stands in the history for good')
    .option('--print-event', 'the event that asks for the same, instead of asking')
    .action((text: string, key: string, options: CompensateOptions, command: Command) => {
      const data: CompensateEffectRequest = { reason: options.reason };
      return ask(shell.context(command), {
        text,
        key,
        verb: 'compensate',
        data,
        done: 'to be undone:',
        print: options.printEvent === true,
      });
    });
}

interface ReconcileOptions {
  readonly found?: true;
  readonly notFound?: true;
  readonly result?: string;
  readonly reason?: string;
  readonly printEvent?: true;
}

interface CompensateOptions {
  readonly reason: string;
  readonly printEvent?: true;
}

interface Asked {
  readonly text: string;
  readonly key: string;
  readonly verb: 'reconcile' | 'compensate';
  readonly data: ReconcileEffectRequest | CompensateEffectRequest;
  readonly done: string;
  readonly print: boolean;
}

async function ask(context: Context, { text, key, verb, data, done, print }: Asked): Promise<void> {
  const run = await runId(context.client, text);
  if (print) {
    const event = eventOf(run, verb, { key, ...data });
    return context.print(event, () => `${JSON.stringify(event)}\n`);
  }
  const receipt = await context.client.post<Receipt>(`runs/${run}/effects/${encodeURIComponent(key)}:${verb}`, data);
  context.print(receipt, () => `${done} ${oneLine(key)} of run ${tail(run)}\n  receipt ${receipt.receiptId}\n`);
}

const eventOf = (run: string, verb: string, data: object): object => ({
  subject: `cairn.<ns>.run.${run}.effect.${verb}`,
  event: {
    specversion: '1.0',
    id: '<yours>',
    source: '<yours>',
    type: `cairn.effect.${verb}.v1`, // Spelt out: the contracts load what no command line has time for.
    datacontenttype: 'application/json',
    data,
  },
});

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
