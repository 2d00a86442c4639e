import { Option, type Command } from 'commander';
import { common, type Shell } from '../shell.js';
import { oneLine } from '../show.js';

export function storeCommands(root: Command, shell: Shell): void {
  const noun = root.command('store').description('the event store of the services');

  common(noun.command('apply'))
    .description('gives an EventStoreDB the rights and settings that Cairn wants; needs an admin, whom the services do not need')
    .option('--dry-run', 'only says what differs')
    .addOption(
      new Option('--event-store <name>', 'libsql:<file> or esdb://…; else CAIRN_EVENT_STORE, where others do not see the password'),
    )
    .action(async ({ dryRun = false, eventStore }: { dryRun?: boolean; eventStore?: string }, command: Command) => {
      const context = shell.context(command);
      const { env } = context.surroundings;
      const [{ dataFolder }, { storeOf }, { applyStore }] = await Promise.all([
        import('../bus/nats-access.js'),
        import('../bus/open-store.js'),
        import('../store/apply-store.js'),
      ]);
      const data = dataFolder(context.options, env);
      const { shown, differences } = await applyStore(
        storeOf(data, eventStore === undefined ? env : { ...env, CAIRN_EVENT_STORE: eventStore }),
        data,
        { dryRun },
      );
      context.print({ store: shown, dryRun, differences: differences ?? [] }, () => {
        if (differences === undefined) return `nothing to apply: a libSQL file has no rights or settings of its own (${oneLine(shown)})\n`;
        const lines = differences.map(({ subject, stream, is, wanted }) => {
          const did = context.paint.style(dryRun ? 'yellow' : 'green', dryRun ? 'differs' : 'changed');
          return `${did} ${oneLine(subject)} (${oneLine(stream)})\n  ${oneLine(is)} -> ${oneLine(wanted)}\n`;
        });
        const outcome = lines.length === 0 ? 'nothing differs' : `${lines.length} ${dryRun ? 'differ' : 'mended'}`;
        return `${lines.join('')}${outcome}: rights and settings at ${oneLine(shown)}\n`;
      });
    });
}
