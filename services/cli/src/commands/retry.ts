import type { Page, RetryView } from '@cairn/contracts';
import type { JsonObject } from '@cairn/kernel';
import type { Command } from 'commander';
import { changesText, type Change } from '../changes-text.js';
import { runId } from '../find-by-tail.js';
import type { Paint } from '../paint.js';
import { common, type Shell } from '../shell.js';
import { brief, clock, oneLine, tail } from '../show.js';

export function retryCommands(root: Command, shell: Shell): void {
  const noun = root.command('retry').description('failures, and why they were tried again or not');

  common(noun.command('explain <run> [step]'))
    .description('each failed attempt: what was seen, how it was judged, by which rule, on what evidence, and when the next try is')
    .action(async (text: string, step: string | undefined, _: unknown, command: Command) => {
      const context = shell.context(command);
      const run = await runId(context.client, text);
      const query = step === undefined ? '' : `?step=${encodeURIComponent(step)}`;
      const page = await context.client.get<Page<RetryView>>(`runs/${run}/retries${query}`);
      const { items } = page;
      context.print(page, () =>
        items.length === 0
          ? `no attempt${step === undefined ? '' : ` of step ${oneLine(step)}`} of run ${tail(run)} has failed\n`
          : items.map((failure) => failureText(failure, context.paint)).join(''),
      );
    });
}

interface Seen {
  readonly code?: string;
  readonly message?: string;
  readonly by?: string;
  readonly sideEffect?: string;
}

interface Argument {
  readonly rule?: string;
  readonly newEvidence?: readonly { readonly code?: string; readonly digest?: string; readonly retryAfter?: string }[];
  readonly expectedChange?: string | null;
}

function failureText({ step, attempt, branch, revision, failedAt, failure, decided, people, passedOver }: RetryView, paint: Paint): string {
  const { code, message = '', by, sideEffect } = failure as Seen;
  const sight = [code, message].filter(Boolean).join(': ');
  const lines: [string, string][] = [
    [
      'seen',
      `${oneLine(sight)}${by === 'handler' ? '' : ` (by ${by ?? '?'})`}${sideEffect === 'none' ? '' : `, side effect ${sideEffect ?? '?'}`}`,
    ],
  ];
  if (decided === undefined) lines.push(['decision', paint.style('yellow', 'none yet: retry-policy has not judged it')]);
  else lines.push(...decisionLines(decided, paint));
  if (people !== undefined) lines.push(...peopleLines(people, paint));
  if (passedOver === true) lines.push(['then', 'passed over: the step is optional']);
  const head = `${paint.style('bold', oneLine(step))} attempt ${attempt}  ${paint.style('dim', `${clock(failedAt)}  ${branch}@${revision}`)}\n`;
  return head + lines.map(([name, text]) => `  ${paint.style('dim', name.padEnd(12))}  ${text}\n`).join('');
}

/** What people made of an escalation. */
function peopleLines({ by, then, reason, opens }: NonNullable<RetryView['people']>, paint: Paint): [string, string][] {
  return [
    ['people', `${paint.style(then === 'give_up' ? 'red' : 'green', oneLine(then))} by ${by.map(oneLine).join(', ')}: ${oneLine(reason)}`],
    ...(opens === undefined
      ? []
      : [
          ['goes on', `on ${opens.branch}`] satisfies [string, string],
          ...changesText(opens.changes as unknown as readonly Change[]).map((text): [string, string] => ['changed', text]),
        ]),
  ];
}

/** Decisions after which the run goes on by itself. */
const GOES_ON: ReadonlySet<string> = new Set(['retry', 'retry_modified', 'fallback', 'reduce_scope']);

/** What is different on the branch that the decision opens. */
function changeText({ fallback, reduce, patch }: JsonObject): string {
  if (typeof fallback === 'number') return `the step's alternative fallback/${fallback}`;
  if (typeof reduce === 'string') return `reduced path ${oneLine(reduce)}`;
  const ops = Array.isArray(patch) ? (patch as readonly JsonObject[]) : [];
  return ops
    .map(({ op, path, value }) => `${String(op)} ${String(path)}${value === undefined ? '' : ` ${brief(value)}`}`)
    .map(oneLine)
    .join(', ');
}

function decisionLines(decided: NonNullable<RetryView['decided']>, paint: Paint): [string, string][] {
  const { bucket, decision, justification, policy, notBefore, queue, change, opens } = decided;
  const { rule = '?', newEvidence = [], expectedChange } = justification as Argument;
  const evidence = newEvidence.map(({ code, retryAfter, digest }) =>
    [code, retryAfter === undefined ? undefined : `retry after ${retryAfter}`, digest?.slice(0, 19)].filter(Boolean).join(', '),
  );
  return [
    ['bucket', oneLine(bucket)],
    [
      'decision',
      paint.style(GOES_ON.has(decision) ? 'green' : 'red', decision) + (queue === undefined ? '' : `, asks queue ${oneLine(queue)}`),
    ],
    ['because', oneLine(`rule ${rule}${expectedChange === null || expectedChange === undefined ? '' : `, expects ${expectedChange}`}`)],
    ['new evidence', oneLine(evidence.filter(Boolean).join('; ')) || 'nothing new'],
    // What a patch changes is told with the branch, once there is one.
    ...(change === undefined || (opens !== undefined && 'patch' in change)
      ? []
      : [['change', changeText(change)] satisfies [string, string]]),
    ...(decision === 'retry' || notBefore !== undefined
      ? [['next try', notBefore === undefined ? 'at once' : `not before ${notBefore}`] satisfies [string, string]]
      : []),
    ...(opens === undefined
      ? []
      : [
          ['goes on', `on ${opens.branch}`] satisfies [string, string],
          ...changesText(opens.changes as unknown as readonly Change[]).map((text): [string, string] => ['changed', text]),
        ]),
    ['policy', `${String(policy['name'])}@${String(policy['version'])}`],
  ];
}
