import { Option, type Command } from 'commander';
import type { NamedUsers } from '../bus/bus-users.js';
import { common, type Shell } from '../shell.js';
import { oneLine, table } from '../show.js';

// Every start of the command line pays for what is imported here: what only talks to the bus is imported when it is asked for.
export function busCommands(root: Command, shell: Shell): void {
  const noun = root.command('bus').description('the nats-server between the services');

  natsOption(common(noun.command('apply')))
    .description('makes bus streams and consumers equal to the contract and to the queues of the stored definitions')
    .option('--dry-run', 'only says what differs')
    .action(async ({ dryRun = false, nats }: { dryRun?: boolean; nats?: string }, command: Command) => {
      const context = shell.context(command);
      const { env } = context.surroundings;
      const [{ connectTo, dataFolder, natsAccess, withoutPassword }, { readDeclaredBus }, { applyBus }, { mendedText }] = await Promise.all(
        [import('../bus/nats-access.js'), import('../bus/declared.js'), import('../bus/apply-bus.js'), import('../bus/bus-text.js')],
      );
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

  userOptions(common(noun.command('permissions')))
    .description('the users of the nats-server and what they may do, for deploy/nats/permissions.conf')
    .action(async (named: NamedUsers, command: Command) => {
      const context = shell.context(command);
      const [{ permissionsText }, { busUsers }] = await Promise.all([import('@cairn/contracts'), import('../bus/bus-users.js')]);
      const users = busUsers(named);
      context.print({ users }, () => permissionsText(users));
    });

  userOptions(common(noun.command('keys <folder>')))
    .description('a fresh nkey for each user: seeds for the processes, and public keys for the server in nkeys.env')
    .action(async (folder: string, named: NamedUsers, command: Command) => {
      const context = shell.context(command);
      const [{ writeKeys }, { busUsers }] = await Promise.all([import('../bus/write-keys.js'), import('../bus/bus-users.js')]);
      const keys = await writeKeys(folder, busUsers(named));
      context.print({ keys }, () => {
        const rows = keys.map(({ user, seedFile, inboxPrefix }) => [user, seedFile, inboxPrefix]);
        return table(['USER', 'CAIRN_NATS_NKEY_SEED_FILE', 'CAIRN_NATS_INBOX_PREFIX'], rows, (text) => context.paint.style('bold', text));
      });
    });
}

/** Users beside those of the services. */
function userOptions(command: Command): Command {
  return command
    .option('--handlers <user...>', '[name@]ns[/queue,…]: handlers of a namespace; with queues where they take tasks as messages')
    .option('--publisher <ns...>', 'whoever publishes events of a namespace');
}

/** Where the bus is, for each command that talks to it. */
export function natsOption(command: Command): Command {
  return command.addOption(new Option('--nats <url>', 'the nats-server; else CAIRN_NATS_URL, <data>/server.json, 127.0.0.1:4222'));
}
