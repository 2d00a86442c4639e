import { extname } from 'node:path';
import type { Page, PolicySummary, PolicyView } from '@cairn/contracts';
import { isName } from '@cairn/kernel';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { readTextFile } from '../json-argument.js';
import { differences, differencesText } from '../json-diff.js';
import { problem, Refusal, usage } from '../refusal.js';
import { common, type Shell } from '../shell.js';
import { shortHash, table } from '../show.js';

export function policyCommands(root: Command, shell: Shell): void {
  const noun = root.command('policy').description('retry policies');

  common(noun.command('apply <file>'))
    .description('makes a policy the newest version of its name; runs keep the version that they started with')
    .action(async (file: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const { name, document } = await readPolicy(file);
      const { status, body } = await context.client.put<Partial<PolicySummary>>(`policies/${name}`, document);
      const outcome = status === 201 ? 'applied' : status === 200 ? 'unchanged' : 'pending';
      const place = body.version === undefined ? name : `${name}@${body.version}`;
      context.print({ file, outcome, ...body }, () => `${outcome} ${place}  ${shortHash(body.hash ?? '')}\n`);
    });

  common(noun.command('list'))
    .description('the policies that the server has, each in its newest version')
    .action(async (_: unknown, command: Command) => {
      const context = shell.context(command);
      const page = await context.client.get<Page<PolicySummary>>('policies');
      const rows = page.items.map(({ name, version, hash, appliedAt }) => [name, String(version), shortHash(hash), appliedAt]);
      context.print(page, () => table(['NAME', 'VERSION', 'HASH', 'APPLIED'], rows, (text) => context.paint.style('bold', text)));
    });

  common(noun.command('show <name>'))
    .description('a policy (`mine`, or `mine@1`) in its canonical form: durations in milliseconds, every default that matters written out')
    .option('--version <n>', 'this version (default: the newest)')
    .action(async (text: string, { version: option }: { version?: string }, command: Command) => {
      const context = shell.context(command);
      const { name, version = option } = nameAndVersion(text);
      if (option !== undefined && version !== option) throw usage(`${text} and --version ${option} name two versions: give one.`);
      const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
      const view = await context.client.get<PolicyView>(`policies/${encodeURIComponent(name)}${query}`);
      context.print(view, () => `${view.name}@${view.version}  ${view.hash}\n${JSON.stringify(view.policy, null, 2)}\n`);
    });

  common(noun.command('diff <from> <to>'))
    .description('where two versions differ (`mine@1 mine@2`; without a version the newest), in canonical form')
    .action(async (...[from, to, , command]: [string, string, unknown, Command]) => {
      const context = shell.context(command);
      const view = async (text: string): Promise<PolicyView> => {
        const { name, version } = nameAndVersion(text);
        return context.client.get<PolicyView>(`policies/${encodeURIComponent(name)}${version === undefined ? '' : `?version=${version}`}`);
      };
      const [before, after] = [await view(from), await view(to)];
      const place = ({ name, version, hash }: PolicyView) => ({ name, version, hash });
      const found = differences(before.policy, after.policy);
      context.print({ from: place(before), to: place(after), differences: found }, () => {
        const [a, b] = [before, after].map(({ name, version }) => `${name}@${version}`);
        return found.length === 0 ? `${a} and ${b} are the same\n` : `${a} -> ${b}\n${differencesText(found, context.paint)}`;
      });
    });
}

/** `mine@1`, as lists, reasons and histories name a version of a policy, or `mine`. */
function nameAndVersion(text: string): { readonly name: string; readonly version?: string } {
  const [, name, version] = /^([^@]+)@(\d+)$/.exec(text) ?? [];
  return name === undefined || version === undefined ? { name: text } : { name, version };
}

/** Reads a file as far as its name: the rest is for the server to judge, which names every fault. */
async function readPolicy(path: string): Promise<{ readonly name: string; readonly document: unknown }> {
  const format = formats[extname(path)];
  if (format === undefined) throw usage(`${path}: a policy is a .yaml, .yml or .json file.`);
  const { Problems, readDocument } = await import('@cairn/domain-definition'); // YAML is slow to load: see `definition-file.ts`.
  const problems = new Problems();
  const document = readDocument(readTextFile(path, path), format, problems);
  const name = typeof document === 'object' && document !== null ? (document as { readonly policy?: unknown }).policy : undefined;
  if (problems.errors.length === 0 && isName(name)) return { name, document };
  const nameless = { pointer: '/policy', rule: 'name', says: 'must be the name of the policy: a-z, then a-z 0-9 -, at most 63 characters' };
  const errors = problems.errors.length > 0 ? problems.errors : [nameless];
  throw new Refusal(problem('policy_invalid', 422, `${path} is no policy; nothing was stored.`, { errors }), EXIT.failed);
}

const formats: { readonly [ending: string]: 'yaml' | 'json' | undefined } = { '.yaml': 'yaml', '.yml': 'yaml', '.json': 'json' };
