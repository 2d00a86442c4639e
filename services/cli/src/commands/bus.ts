import { Option, type Command } from 'commander';
import { applyBus } from '../bus/apply-bus.js';
import { mendedText } from '../bus/bus-text.js';
import { readDeclaredBus } from '../bus/declared.js';
import { connectTo, dataFolder, natsAccess, withoutPassword } from '../bus/nats-access.js';
import { common, type Shell } from '../shell.js';
import { oneLine } from '../show.js';

export function busCommands(root: Command, shell: Shell): void {
  const noun = root.command('bus').description('the nats-server between the services');

  natsOption(common(noun.command('apply')))
    .description('makes bus streams and consumers equal to the contract and to the queues of the stored definitions')
    .option('--dry-run', 'only says what differs')
    .action(async ({ dryRun = false, nats }: { dryRun?: boolean; nats?: string }, command: Command) => {
      const context = shell.context(command);
      const { env } = context.surroundings;
      const access = natsAccess({ ...context.options, ...(nats === undefined ? {} : { nats }) }, env);
      const declared = await readDeclaredBus(dataFolder(context.options, env), env);
      const connection = await connectTo(access, 'cairn bus apply');
      try {
        const mended = await applyBus(connection, declared, { dryRun });
        const { streams, consumers, queues, store } = declared;
        const counts = { streams: streams.length, consumers: consumers.length, queues };
        context.print({ nats: withoutPassword(access.url), dryRun, ...counts, store: store ?? null, differences: mended }, () => {
          const things = `${streams.length} bus streams, ${consumers.length} consumers (${queues.length} of queues) at ${oneLine(withoutPassword(access.url))}`;
          const from = store === undefined ? 'no definition is stored yet' : `queues from ${oneLine(store)}`;
          const outcome = mended.length === 0 ? 'nothing differs' : `${mended.length} ${dryRun ? 'differ' : 'mended'}`;
          return `${mendedText(mended, context.paint)}${outcome}: ${things}; ${from}\n`;
        });
      } finally {
        await connection.close();
      }
    });
}

/** Where the bus is, for each command that talks to it. */
export function natsOption(command: Command): Command {
  return command.addOption(new Option('--nats <url>', 'the nats-server; else CAIRN_NATS_URL, <data>/server.json, 127.0.0.1:4222'));
}
