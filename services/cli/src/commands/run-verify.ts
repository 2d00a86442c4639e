import { existsSync } from 'node:fs';
import type { VerifyView } from '@cairn/contracts';
import type { Command } from 'commander';
import { bundleBytes } from '../bundle-file.js';
import { EXIT } from '../exit-codes.js';
import { runId } from '../find-by-tail.js';
import { usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { oneLine, tail } from '../show.js';

/** What may be a run's id or a tail of one. Anything else is the name of a file. */
const ID_LIKE = /^[0-9a-z]{6,26}$/i;

/** `run verify`: a run of a server, or a bundle without any server. */
export function verifyCommand(noun: Command, shell: Shell): void {
  common(noun.command('verify <run|bundle>'))
    .description(
      "checks a run's whole history, or a bundle (a file, or -) without any server: 0 whole, 1 violated, 3 no such run or file, 5 no server",
    )
    .option('--when <when>', 'of a run: quiescent asks also for what must hold once nothing moves any more')
    .action(async (text: string, { when }: { when?: string }, command: Command) => {
      const context = shell.context(command);
      const isRun = text !== '-' && ID_LIKE.test(text) && !existsSync(text);
      if (isRun) return verifyRun(context, text, when);
      if (when !== undefined) throw usage('--when is about a run: a bundle says what it was when it was exported.');
      await verifyBundle(context, text);
    });
}

async function verifyRun(context: Context, text: string, when: string | undefined): Promise<void> {
  const query = when === undefined ? '' : `?when=${encodeURIComponent(when)}`;
  const verified = await context.client.get<VerifyView>(`runs/${await runId(context.client, text)}/verify${query}`);
  const { violations } = verified;
  context.print(verified, () =>
    violations.length === 0
      ? `${context.paint.style('green', 'whole')}  run ${tail(verified.run)}: its history breaks no invariant\n`
      : violations.map((one) => `${context.paint.style('red', one.invariant)}  ${one.branch}@${one.revision}  ${one.says}\n`).join(''),
  );
  context.exit(violations.length === 0 ? EXIT.ok : EXIT.failed);
}

async function verifyBundle(context: Context, file: string): Promise<void> {
  // Loaded here: the invariants and all that they fold are more than every other command together.
  const { BundleCheck } = await import('@cairn/oracle');
  const { LineSplitter } = await import('@cairn/contracts'); // It stands on it: nothing more is loaded.
  const check = new BundleCheck();
  const splitter = new LineSplitter();
  for await (const bytes of bundleBytes(file, context.surroundings)) for (const line of splitter.push(bytes)) check.line(line);
  const { head, lines, hash, findings } = check.finish(splitter.rest());
  const run = head === undefined ? {} : { run: head.run };
  const [first] = findings;
  const document = { ...run, whole: findings.length === 0, lines, hash, findings };
  // Without a head nothing says what the lines should be: what is wrong with each of them says nothing, either.
  if (head === undefined && first !== undefined) {
    context.print(document, () => `${oneLine(file)} is no bundle: line ${first.line}, ${oneLine(first.says)}\n`);
    return context.exit(EXIT.failed);
  }
  context.print(document, () =>
    findings.length === 0
      ? `${context.paint.style('green', 'whole')}  run ${tail(head?.run ?? '')}: ${lines} lines, ${hash}\n`
      : findings
          .map(({ line, rule, says, branch, revision }) => {
            const place = branch === undefined ? '' : `${branch}@${revision}  `;
            return `line ${line}  ${context.paint.style('red', rule)}  ${place}${oneLine(says)}\n`;
          })
          .join(''),
  );
  context.exit(findings.length === 0 ? EXIT.ok : EXIT.failed);
}
