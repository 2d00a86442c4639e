import { Option, type Command } from 'commander';
import { EXIT } from '../exit-codes.js';
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
      const { applyStore } = await import('../store/apply-store.js');
      const named = eventStore === undefined ? env : { ...env, CAIRN_EVENT_STORE: eventStore };
      const { shown, differences } = await applyStore(context.options, named, { dryRun });
      const all = differences ?? [];
      const hidden = all.filter((setting) => !setting.shown);
      const known = all.filter((setting) => setting.shown);
      if (hidden.length > 0) context.exit(EXIT.failed); // The question has no answer.
      const told = {
        differences: known.map(({ subject, stream, is, wanted }) => ({ subject, stream, is, wanted })),
        notShown: hidden.map(({ subject, stream, wanted }) => ({ subject, stream, wanted })),
      };
      context.print({ store: shown, dryRun, ...told }, () => {
        if (differences === undefined) return `nothing to apply: a libSQL file has no rights or settings of its own (${oneLine(shown)})\n`;
        const lines = known.map(({ subject, stream, is, wanted }) => {
          const did = context.paint.style(dryRun ? 'yellow' : 'green', dryRun ? 'differs' : 'changed');
          return `${did} ${oneLine(subject)} (${oneLine(stream)})\n  ${oneLine(is)} -> ${oneLine(wanted)}\n`;
        });
        for (const { subject, stream, is, wanted } of hidden)
          lines.push(
            `${context.paint.style('red', 'unseen')} ${oneLine(subject)} (${oneLine(stream)})\n  ${oneLine(is)}; wanted: ${oneLine(wanted)}\n`,
          );
        const mended = known.length === 0 ? 'nothing differs' : `${known.length} ${dryRun ? 'differ' : 'mended'}`;
        const unseen = `${hidden.length} cannot be seen by this user; give CAIRN_EVENT_STORE an admin (a member of $admins)`;
        const outcome = hidden.length === 0 ? mended : known.length === 0 ? unseen : `${mended}, ${unseen}`;
        return `${lines.join('')}${outcome}: rights and settings at ${oneLine(shown)}\n`;
      });
    });
}
