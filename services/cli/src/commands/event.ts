import { randomUUID } from 'node:crypto';
import type { Receipt } from '@cairn/contracts';
import type { Command } from 'commander';
import { jsonArgument } from '../json-argument.js';
import { PRINT_EVENT } from '../printed-event.js';
import { receiptText } from '../receipt-text.js';
import { usage } from '../refusal.js';
import { common, commonWithPayload, type Shell } from '../shell.js';
import type { Surroundings } from '../surroundings.js';

interface SendOptions {
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly key?: string;
  readonly subject?: string;
  readonly data?: string;
  readonly printEvent?: true;
}

export function eventCommands(root: Command, shell: Shell): void {
  const noun = root.command('event').description('publish events; ask what they did');

  commonWithPayload(noun.command('send [file]'))
    .description('publishes one event: by its parts, or a whole CloudEvent from a file or - (standard input)')
    .option('--type <type>', 'for example dms.document.received')
    .option('--source <uri>', 'who says so (default /cairn/cli)')
    .option('--id <id>', 'source and id name an event for ever; sent twice it counts once (default: a new one)')
    .option('--key <key>', 'what it is about; starts and waits are found by it')
    .option('--subject <text>', 'CloudEvents subject, the key where there is no --key')
    .option('--data <json>', 'its data: JSON, @file or -')
    .option(...PRINT_EVENT)
    .action(async (file: string | undefined, options: SendOptions, command: Command) => {
      const context = shell.context(command);
      const event = file === undefined ? eventOf(options, shell.surroundings) : wholeEvent(file, options, shell.surroundings);
      if (options.printEvent === true) {
        const type = String((event as { readonly type?: unknown }).type).replace(/\.v\d+$/, '');
        const shown = { subject: `cairn.<ns>.in.${type}`, event };
        return context.print(shown, () => `${JSON.stringify(shown)}\n`);
      }
      const receipt = await context.client.post<Receipt>('events', event);
      context.print(receipt, () => receiptText(receipt, context.paint));
    });

  common(noun.command('show [receipt]'))
    .description('the receipt of an event: what it did, or why nothing happened')
    .option('--source <uri>', 'with --id instead of the receipt')
    .option('--id <id>')
    .action(async (receiptId: string | undefined, { source, id }: { source?: string; id?: string }, command: Command) => {
      const context = shell.context(command);
      if ((receiptId === undefined) === (source === undefined || id === undefined))
        throw usage('Give a receipt, or both --source and --id.');
      const query = new URLSearchParams({ source: source ?? '', id: id ?? '' });
      const receipt = await context.client.get<Receipt>(
        receiptId === undefined ? `events?${query}` : `events/${encodeURIComponent(receiptId)}`,
      );
      context.print(receipt, () => receiptText(receipt, context.paint));
    });
}

function eventOf({ type, source = '/cairn/cli', id = randomUUID(), key, subject, data }: SendOptions, surroundings: Surroundings): object {
  if (type === undefined) throw usage('An event has a type: give --type, or a file with a whole CloudEvent.');
  return {
    specversion: '1.0',
    type,
    source,
    id,
    time: new Date().toISOString(),
    ...(subject === undefined ? {} : { subject }),
    ...(key === undefined ? {} : { cairnkey: key }),
    ...(data === undefined ? {} : { datacontenttype: 'application/json', data: jsonArgument(data, '--data', surroundings) }),
  };
}

function wholeEvent(file: string, options: SendOptions, surroundings: Surroundings): unknown {
  const parts = (['type', 'source', 'id', 'key', 'subject', 'data'] as const).filter((name) => options[name] !== undefined);
  if (parts.length > 0) throw usage(`A file holds the whole event: leave out ${parts.map((name) => `--${name}`).join(', ')}.`);
  return jsonArgument(file === '-' ? '-' : `@${file}`, file, surroundings);
}
