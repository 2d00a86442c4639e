import { Option, type Command } from 'commander';
import type { Finding } from '../doctor/finding.js';
import type { DoctorOptions } from '../doctor/patient.js';
import { EXIT } from '../exit-codes.js';
import type { Paint } from '../paint.js';
import { common, type Shell } from '../shell.js';
import { oneLine, table } from '../show.js';
import { natsOption } from './bus.js';

export function doctorCommand(root: Command, shell: Shell): void {
  const doctor = natsOption(common(root.command('doctor')));
  rebuildCommand(doctor, shell);
  doctor
    .description('looks at everything that must be right; each failure names the command that mends it')
    .addOption(new Option('--monitor <url>', 'monitoring of the nats-server; else port 8222 of its host'))
    .option('--config', 'only shows the configuration, with where each setting comes from')
    .action(async (own: { nats?: string; monitor?: string; config?: boolean }, command: Command) => {
      const context = shell.context(command);
      const { nats, monitor } = own;
      const options: DoctorOptions = {
        ...context.options,
        ...(nats === undefined ? {} : { nats }),
        ...(monitor === undefined ? {} : { monitor }),
      };
      const { patientOf } = await import('../doctor/patient.js');
      const patient = patientOf(options, context.surroundings.env);
      if (own.config === true) {
        const { configuration } = await import('../doctor/configuration.js');
        const settings = configuration(patient);
        const rows = settings.map(({ name, value, origin }) => [name, value, origin]);
        return context.print({ settings }, () => table(['SETTING', 'VALUE', 'FROM'], rows, (text) => context.paint.style('bold', text)));
      }
      const { examine } = await import('../doctor/examine.js'); // Loads the contract, which no other command needs.
      const findings = await examine(patient);
      const exit = exitOf(findings);
      context.print({ well: exit === EXIT.ok, stack: patient.stack, findings }, () => text(findings, context.paint));
      context.exit(exit);
    });
}

function rebuildCommand(doctor: Command, shell: Shell): void {
  common(doctor.command('rebuild'))
    .description('every service folds anew what it has folded from the history, compares, and mends what differs')
    .action(async () => {
      const context = shell.context(doctor); // It knows the same options, and takes them wherever they stand.
      const { foldColumns, rebuild } = await import('../doctor/rebuild.js');
      const rebuilt = await rebuild(context.client);
      context.print(rebuilt, () => {
        const rows = rebuilt.folds.map(foldColumns);
        const details = rebuilt.folds.flatMap(({ service, fold, differences }) =>
          differences.map((line) => `${oneLine(`${service}, ${fold}: ${line}`)}\n`),
        );
        const missing = rebuilt.unreached.map((name) => `not reached: ${oneLine(name)}\n`);
        return [
          table(['FOLD', 'PROCESS', 'OF', 'FOLDED', 'DIGEST'], rows, (text) => context.paint.style('bold', text)),
          ...details,
          ...missing,
        ].join('');
      });
      context.exit(rebuilt.unreached.length > 0 ? EXIT.unreachable : rebuilt.equal ? EXIT.ok : EXIT.failed);
    });
}

/** Who branches on it wants to know first whether there is anybody at all. */
function exitOf(findings: readonly Finding[]): number {
  if (findings.some(({ unreachable }) => unreachable === true)) return EXIT.unreachable;
  return findings.some(({ status }) => status === 'failed') ? EXIT.failed : EXIT.ok;
}

const styles = { ok: 'green', failed: 'red', unseen: 'yellow' } as const;

function text(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, status, says, details = [], fix }) => [
    `${paint.style(styles[status], status.padEnd(6))}  ${check.padEnd(width)}  ${oneLine(says)}`,
    ...details.map((detail) => `${' '.repeat(width + 10)}${oneLine(detail)}`),
    ...(fix === undefined ? [] : [`${' '.repeat(width + 10)}${paint.style('bold', `mend: ${oneLine(fix)}`)}`]),
  ]);
  const count = (status: Finding['status']): number => findings.filter((one) => one.status === status).length;
  lines.push(`${count('ok')} ok, ${count('failed')} failed, ${count('unseen')} not seen`);
  return lines.map((line) => `${line}\n`).join('');
}
