import type { BranchDiffView, BranchesView } from '@cairn/contracts';
import type { Command } from 'commander';
import { branchDiffText } from '../branch-diff-text.js';
import { branchTree } from '../branch-tree.js';
import { runId } from '../find-by-tail.js';
import { branchOpenCommands, shadowCommands } from './branch-open.js';
import { usage } from '../refusal.js';
import { common, type Shell } from '../shell.js';

const BRANCH = /^(?:main|b[1-9]\d*)$/;

export function branchCommands(root: Command, shell: Shell): void {
  const noun = root.command('branch').description('where runs went on: what each branch was opened for, and what became of it');

  branchOpenCommands(noun, shell);
  shadowCommands(noun, shell);

  common(noun.command('tree <run>'))
    .description('the branches of a run: the original path, why it failed, what each branch changed')
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const view = await context.client.get<BranchesView>(`runs/${await runId(context.client, text)}/branches`);
      context.print(view, () => branchTree(view, context.paint));
    });

  common(noun.command('diff <run> [a] [b]'))
    .description('what is different between two branches, step by step (default: main and the head)')
    .action(async (text: string, a: string | undefined, b: string | undefined, _: unknown, command: Command) => {
      const context = shell.context(command);
      for (const name of [a, b]) if (name !== undefined && !BRANCH.test(name)) throw usage(`'${name}' is no branch, such as main or b2.`);
      const run = await runId(context.client, text);
      const to = b ?? (await context.client.get<BranchesView>(`runs/${run}/branches`)).head;
      const view = await context.client.get<BranchDiffView>(`runs/${run}/branches/${a ?? 'main'}...${to}/diff`);
      context.print(view, () => branchDiffText(view, context.paint));
    });
}
