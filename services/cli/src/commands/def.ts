import type { DefinitionSummary, DefinitionView, Page } from '@cairn/contracts';
import type { Definition } from '@cairn/domain-definition';
import type { FieldError, JsonObject } from '@cairn/kernel';
import type { Command } from 'commander';
import { compileFile, compilePolicyFile } from '../definition-file.js';
import { EXIT } from '../exit-codes.js';
import { differences, differencesText } from '../json-diff.js';
import { problem, Refusal } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { oneLine, shortHash, table } from '../show.js';

/** What `PUT definitions/{name}` answers with: made, was there with the same bytes, not settled within the server's patience. */
const outcomes = new Map<number, 'applied' | 'unchanged'>([
  [201, 'applied'],
  [200, 'unchanged'],
]);

interface Linted {
  readonly file: string;
  readonly ok: boolean;
  readonly name?: string;
  readonly version?: string;
  readonly hash?: string;
  readonly errors: readonly FieldError[];
  readonly warnings: readonly FieldError[];
}

export function defCommands(root: Command, shell: Shell): void {
  const noun = root.command('def').description('workflow definitions');

  common(noun.command('lint <file...>'))
    .description('checks definitions and retry policies without a server; all that is wrong, with pointer and rule')
    .action(async (files: string[], _: unknown, command: Command) => {
      const context = shell.context(command);
      const linted: Linted[] = [];
      for (const file of files) linted.push(await lint(file));
      context.print({ files: linted }, () => linted.map((one) => lintText(one, context)).join(''));
      context.exit(linted.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed);
    });

  common(noun.command('apply <file...>'))
    .description('checks files and stores them; a version that is stored can never change')
    .action(async (files: string[], _: unknown, command: Command) => {
      const context = shell.context(command);
      const applied: (Partial<DefinitionSummary> & { readonly file: string; readonly outcome: 'applied' | 'unchanged' | 'pending' })[] = [];
      const definitions: Definition[] = [];
      for (const file of files) {
        const compiled = await compileFile(file);
        if (!compiled.ok) throw invalid(file, compiled.errors);
        const { name, version } = compiled.definition;
        const { status } = await context.client.put(`definitions/${name}`, compiled.definition);
        applied.push({ file, outcome: outcomes.get(status) ?? 'pending', name, version, hash: compiled.hash });
        definitions.push(compiled.definition);
      }
      const [{ applyQueues }, { mendedText }] = await Promise.all([import('../bus/apply-queues.js'), import('../bus/bus-text.js')]);
      const bus = await applyQueues(context.client.connection.ns, definitions, context.options, context.surroundings.env);
      context.print({ definitions: applied, ...(bus === undefined ? {} : { bus }) }, () => {
        const lines = applied.map(({ outcome, name, version, hash = '' }) => `${outcome} ${name}@${version}  ${shortHash(hash)}\n`);
        return lines.join('') + mendedText(bus?.differences ?? [], context.paint);
      });
      if (bus?.problem !== undefined)
        context.aside(`the queues' consumers were not made: ${oneLine(bus.problem.detail)}\n  next: npx cairn bus apply`);
    });

  common(noun.command('list'))
    .description('the definitions that the server has, each in its newest version')
    .action(async (_: unknown, command: Command) => {
      const context = shell.context(command);
      const page = await context.client.get<Page<DefinitionSummary>>('definitions');
      const rows = page.items.map(({ name, version, hash, appliedAt }) => [name, version, shortHash(hash), appliedAt]);
      context.print(page, () => table(['NAME', 'VERSION', 'HASH', 'APPLIED'], rows, (text) => context.paint.style('bold', text)));
    });

  common(noun.command('show <name>'))
    .description('a definition in its canonical form')
    .option('--version <version>', 'this version (default: the newest)')
    .action(async (name: string, { version }: { version?: string }, command: Command) => {
      const context = shell.context(command);
      const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
      const view = await context.client.get<DefinitionView>(`definitions/${encodeURIComponent(name)}${query}`);
      context.print(view, () => `${view.name}@${view.version}  ${view.hash}\n${JSON.stringify(view.definition, null, 2)}\n`);
    });

  common(noun.command('diff <from> <to>'))
    .description('where two definitions differ, in canonical form: `mine@1.0.0`, `mine` (the newest) or a file')
    .action(async (...[from, to, , command]: [string, string, unknown, Command]) => {
      const context = shell.context(command);
      const [before, after] = [await definitionOf(from, context), await definitionOf(to, context)];
      const place = ({ definition, hash }: Compared) => ({ name: definition['name'], version: definition['version'], hash });
      const found = differences(before.definition, after.definition);
      context.print({ from: place(before), to: place(after), differences: found }, () =>
        found.length === 0
          ? `${oneLine(from)} and ${oneLine(to)} are the same\n`
          : `${oneLine(from)} -> ${oneLine(to)}\n${differencesText(found, context.paint)}`,
      );
    });
}

interface Compared {
  readonly definition: JsonObject;
  readonly hash: string;
}

/** A file, as the server would store it, or what the server has. */
async function definitionOf(text: string, { client }: Context): Promise<Compared> {
  if (/\.(ya?ml|json|m?js)$/.test(text)) {
    const compiled = await compileFile(text);
    if (!compiled.ok) throw invalid(text, compiled.errors, 'it cannot be compared');
    return { definition: compiled.definition as unknown as JsonObject, hash: compiled.hash };
  }
  const [name = text, version] = text.split('@');
  const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
  return client.get<DefinitionView>(`definitions/${encodeURIComponent(name)}${query}`);
}

/** A definition, or a retry policy: what says `policy` and has no steps. */
async function lint(file: string): Promise<Linted> {
  const policy = await compilePolicyFile(file);
  if (policy?.ok === false) return { file, ok: false, errors: policy.errors, warnings: [] };
  if (policy !== undefined) return { file, ok: true, name: policy.policy.policy, hash: policy.hash, errors: [], warnings: [] };
  const compiled = await compileFile(file);
  if (!compiled.ok) return { file, ok: false, errors: compiled.errors, warnings: compiled.warnings ?? [] };
  const { name, version } = compiled.definition;
  return { file, ok: true, name, version, hash: compiled.hash, errors: [], warnings: compiled.warnings };
}

function lintText({ file, ok, name, version, hash = '', errors, warnings }: Linted, { paint }: Context): string {
  const head = ok
    ? `${paint.style('green', 'ok')} ${file}  ${name}${version === undefined ? '' : `@${version}`}  ${shortHash(hash)}`
    : `${paint.style('red', 'wrong')} ${file}`;
  const line = ({ pointer, rule, says }: FieldError, kind: string): string =>
    `  ${kind} ${oneLine(pointer === '' ? '/' : pointer)}  ${oneLine(says)}  ${paint.style('dim', `[${rule}]`)}`;
  const lines = [
    head,
    ...errors.map((one) => line(one, paint.style('red', 'error  '))),
    ...warnings.map((one) => line(one, paint.style('yellow', 'warning'))),
  ];
  return lines.map((text) => `${text}\n`).join('');
}

function invalid(file: string, errors: readonly FieldError[], so = 'nothing was stored for it'): Refusal {
  const count = errors.length === 1 ? 'one fault' : `${errors.length} faults`;
  return new Refusal(problem('definition_invalid', 422, `${file} has ${count}; ${so}.`, { errors }), EXIT.failed);
}
