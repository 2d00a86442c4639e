import { extname } from 'node:path';
import type { Page, PolicySummary, PolicyView } from '@cairn/contracts';
import type { CompiledPolicy } from '@cairn/domain-retry';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { readTextFile } from '../json-argument.js';
import { problem, Refusal, usage } from '../refusal.js';
import { common, type Shell } from '../shell.js';
import { shortHash, table } from '../show.js';

export function policyCommands(root: Command, shell: Shell): void {
  const noun = root.command('policy').description('retry policies');

  common(noun.command('apply <file>'))
    .description('checks a policy and makes it the newest version of its name; runs keep the version that they started with')
    .action(async (file: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const compiled = await compileFile(file);
      if (!compiled.ok) {
        const count = compiled.errors.length === 1 ? 'one fault' : `${compiled.errors.length} faults`;
        const detail = `${file} has ${count}; nothing was stored for it.`;
        throw new Refusal(problem('policy_invalid', 422, detail, { errors: compiled.errors }), EXIT.failed);
      }
      const { policy: name } = compiled.policy;
      const { status, body } = await context.client.put<Partial<PolicySummary>>(`policies/${name}`, compiled.policy);
      const outcome = status === 201 ? 'applied' : status === 200 ? 'unchanged' : 'pending';
      const place = body.version === undefined ? name : `${name}@${body.version}`;
      context.print({ file, outcome, ...body }, () => `${outcome} ${place}  ${shortHash(compiled.hash)}\n`);
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
    .description('a policy in its canonical form: durations in milliseconds, every default that matters written out')
    .option('--version <n>', 'this version (default: the newest)')
    .action(async (name: string, { version }: { version?: string }, command: Command) => {
      const context = shell.context(command);
      const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
      const view = await context.client.get<PolicyView>(`policies/${encodeURIComponent(name)}${query}`);
      context.print(view, () => `${view.name}@${view.version}  ${view.hash}\n${JSON.stringify(view.policy, null, 2)}\n`);
    });
}

async function compileFile(path: string): Promise<CompiledPolicy> {
  // CEL and JSON Schema cost more to load than all else here; see `definition-file.ts`.
  const { compilePolicyText } = await import('@cairn/domain-retry');
  switch (extname(path)) {
    case '.yaml':
    case '.yml':
      return compilePolicyText(readTextFile(path, path), 'yaml');
    case '.json':
      return compilePolicyText(readTextFile(path, path), 'json');
    default:
      throw usage(`${path}: a policy is a .yaml, .yml or .json file.`);
  }
}
