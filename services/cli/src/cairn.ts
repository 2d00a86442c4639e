import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { EXIT } from './exit-codes.js';
import { Paint } from './paint.js';
import { problem, Refusal, usage } from './refusal.js';
import { oneLine } from './show.js';
import { common, Shell } from './shell.js';
import type { Surroundings } from './surroundings.js';

/** Runs one command line and gives its exit code. Prints a refusal as a sentence with its lines, with `--json` as a problem document. */
export async function cairn(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const shell = new Shell(surroundings);
  const json = args.includes('--json');
  const root = await program(shell, json, args[0]);
  const noun = nounAlone(root, args);
  if (noun !== undefined) return json ? report(verbless(noun, root), surroundings, json) : help(noun, root, surroundings);
  try {
    await root.parseAsync(args, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok; // Help and version.
      if (error.code === 'commander.help') return EXIT.usage; // It was printed: options, and nothing to do with them.
      return report(new Refusal(problem('usage', 400, sentence(error.message)), EXIT.usage), surroundings, json);
    }
    if (error instanceof Refusal) return report(error, surroundings, json);
    throw error;
  }
}

/** Of this package, which is that of the release; by name, for this file lies elsewhere in the bundle. */
const { version: VERSION } = createRequire(import.meta.url)('@cairn/cli/package.json') as { version: string };

type Register = (root: Command, shell: Shell) => void;

/** By the word that stands first, in the order of the help. Each is a room of its own that nobody else's command line has to read. */
const nouns: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['dev', async () => (await import('./commands/dev.js')).devCommand],
  ['doctor', async () => (await import('./commands/doctor.js')).doctorCommand],
  ['bus', async () => (await import('./commands/bus.js')).busCommands],
  ['store', async () => (await import('./commands/store.js')).storeCommands],
  ['def', async () => (await import('./commands/def.js')).defCommands],
  ['event', async () => (await import('./commands/event.js')).eventCommands],
  ['run', async () => (await import('./commands/run.js')).runCommands],
  ['wait', async () => (await import('./commands/wait.js')).waitCommands],
  ['branch', async () => (await import('./commands/branch.js')).branchCommands],
  ['review', async () => (await import('./commands/review.js')).reviewCommands],
  ['effect', async () => (await import('./commands/effect.js')).effectCommands],
  ['retry', async () => (await import('./commands/retry.js')).retryCommands],
  ['policy', async () => (await import('./commands/policy.js')).policyCommands],
  ['why', async () => (await import('./commands/why.js')).whyCommand],
]);

/** With the commands of the first word alone, where it is known: reading and making all of them costs each call what one of them needs. */
async function program(shell: Shell, json: boolean, first: string | undefined): Promise<Command> {
  const { out, err } = shell.surroundings;
  const root = new Command('cairn')
    .description('Durable, branching workflows for AI agents')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .exitOverride()
    // Errors are reported in one place, at the end; what goes wrong without a noun is answered by the help.
    .configureOutput({ writeOut: out, writeErr: (text) => void (json || err(text)), outputError: () => {} });
  common(root);
  const named = nouns.get(first ?? '');
  for (const load of named === undefined ? nouns.values() : [named]) (await load())(root, shell);
  inherit(root);
  return root;
}

/** Commander copies settings only to commands made through their parent before the setting; ours are set afterwards, once. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command).enablePositionalOptions(false));
}

/** Nouns that do something themselves where no verb follows. */
const verbs: ReadonlySet<string> = new Set(['doctor']);

/** The command that stands there without the verb that it needs; the root where nothing stands at all. */
function nounAlone(root: Command, args: readonly string[]): Command | undefined {
  const [name, ...more] = args.filter((arg) => arg !== '--json');
  if (name === undefined) return root;
  const noun = more.length === 0 ? root.commands.find((command) => command.name() === name) : undefined;
  return noun !== undefined && noun.commands.length > 0 && !verbs.has(noun.name()) ? noun : undefined;
}

/** Who asks for nothing is shown what there is; who names a noun and no verb made a mistake. */
function help(noun: Command, root: Command, { out, err }: Surroundings): number {
  (noun === root ? out : err)(noun.helpInformation());
  return noun === root ? EXIT.ok : EXIT.usage;
}

function verbless(noun: Command, root: Command): Refusal {
  const there = noun.commands.map((command) => command.name()).join(', ');
  return usage(noun === root ? `cairn needs a command: ${there}.` : `cairn ${noun.name()} needs a verb: ${there}.`);
}

function report({ problem: document, exitCode, next }: Refusal, surroundings: Surroundings, json: boolean): number {
  const paint = new Paint(surroundings);
  if (json) {
    surroundings.out(`${JSON.stringify(document, null, 2)}\n`);
    return exitCode;
  }
  surroundings.err(`${paint.style('red', 'cairn:')} ${oneLine(document.detail)}\n`);
  for (const { pointer, rule, says } of document.errors ?? []) {
    surroundings.err(
      `  ${paint.style('bold', oneLine(pointer === '' ? '/' : pointer))}  ${oneLine(says)}  ${paint.style('dim', `[${rule}]`)}\n`,
    );
  }
  if (document.clause !== undefined) surroundings.err(`  clause ${oneLine(document.clause)}\n`);
  if (next !== undefined) surroundings.err(`  next: ${next}\n`);
  return exitCode;
}

/** Commander's text without its prefix; a suggestion stands on a line of its own there. */
function sentence(text: string): string {
  const plain = text.replace(/^error: /, '').replaceAll('\n', ' ');
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
