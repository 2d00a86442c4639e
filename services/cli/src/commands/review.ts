import type { Page, ReviewView } from '@cairn/contracts';
import { spanText } from '@cairn/kernel/span';
import type { Command } from 'commander';
import { reviewId, runId } from '../find-by-tail.js';
import { jsonArgument } from '../json-argument.js';
import { usage } from '../refusal.js';
import { common, type Context, type Shell } from '../shell.js';
import { brief, oneLine, table, tail } from '../show.js';

/** What the server answers to a command: the review as it is then, and what became of a decision. */
type Answered = ReviewView & { readonly applied?: 'yes' | 'no' | 'pending' | 'open'; readonly says?: string };

const VERDICTS = ['approve', 'edit', 'revise', 'reject'];

interface DecisionOptions {
  readonly reason: string;
  readonly option?: string;
  readonly edits?: string;
  readonly guidance?: string;
  readonly revision?: string;
  readonly digest?: string;
}

/** `review inbox|show|claim|release|reassign|comment|vote|decide|escalate`: people decide. */
export function reviewCommands(root: Command, shell: Shell): void {
  const noun = root.command('review').description('what waits for people to decide');

  common(noun.command('inbox'))
    .description('the open reviews, the riskiest and most urgent first')
    .option('--queue <name>', 'of this queue')
    .option('--risk <risk>', 'of this risk: low, medium, high or critical')
    .option('--why <why>', 'asked for this: planned, risk, after_retries, after_wait, recovery, budget')
    .option('--run <run>', 'of this run')
    .option('--mine', 'that you have in hand, or could take')
    .action(async (options: { queue?: string; risk?: string; why?: string; run?: string; mine?: true }, command: Command) => {
      const context = shell.context(command);
      const { queue, risk, why, mine } = options;
      const run = options.run === undefined ? undefined : await runId(context.client, options.run);
      const query = Object.entries({ queue, risk, why, run, mine: mine === true ? 'true' : undefined })
        .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
        .join('&');
      const page = await context.client.get<Page<ReviewView>>(`reviews${query === '' ? '' : `?${query}`}`);
      context.print(page, () => inboxTable(page.items, context));
    });

  common(noun.command('show <review>'))
    .description('one review: the question, exactly what is approved, what each verdict does, who may decide')
    .action(async (text: string, _: unknown, command: Command) => {
      const context = shell.context(command);
      const review = await read(context, text);
      context.print(review, () => reviewText(review, context));
    });

  common(noun.command('claim <review>'))
    .description('takes a review in hand; of two who claim one has it')
    .option('--force', 'takes it over from whoever has it; that is recorded')
    .action(act(shell, 'claim', 'claimed', ({ force }: { force?: true }) => (force === true ? { force: true } : {})));

  common(noun.command('release <review>'))
    .description('gives a review back')
    .option('--force', "also somebody else's")
    .action(act(shell, 'release', 'released', ({ force }: { force?: true }) => (force === true ? { force: true } : {})));

  common(noun.command('reassign <review>'))
    .description('hands a review to a person or a group')
    .requiredOption('--to <whom>', 'user:ana or group:cfo')
    .option('--reason <text>', 'for whoever reads the history')
    .action(
      act(shell, 'reassign', 'reassigned', ({ to, reason }: { to: string; reason?: string }) => ({
        to,
        ...(reason === undefined ? {} : { reason }),
      })),
    );

  common(noun.command('comment <review> <text>'))
    .description('says something for others to read')
    .action(async (text: string, comment: string, _: unknown, command: Command) => {
      await send(shell.context(command), text, 'comment', 'commented on', { text: comment });
    });

  common(noun.command('escalate <review>'))
    .description('passes a review up: to the next of its chain, or to whom you name')
    .option('--to <whom>', 'user:ana or group:cfo')
    .requiredOption('--reason <text>', 'why you do not decide it')
    .action(
      act(shell, 'escalate', 'passed up', ({ to, reason }: { to?: string; reason: string }) => ({
        ...(to === undefined ? {} : { to }),
        reason,
      })),
    );

  for (const verb of ['decide', 'vote'] as const) {
    const verdicts = verb === 'vote' ? [...VERDICTS, 'abstain'] : VERDICTS;
    common(noun.command(verb === 'decide' ? 'decide <review> [verdict]' : 'vote <review> <verdict>'))
      .description(
        verb === 'decide'
          ? `decides: ${verdicts.join(', ')}, or an option that the review shows; where several must agree, this is your vote`
          : `says what you would decide, where several must agree: ${verdicts.join(', ')}`,
      )
      .requiredOption('--reason <text>', 'why; it stands in the history')
      .option('--option <id>', 'which of the options that the review shows: fallback:0, reduce:short, retry, …')
      .option('--edits <json>', 'with edit or a changed retry: a JSON Patch within what may be edited; @file and - are read')
      .option('--guidance <text>', 'with revise: what should be different')
      .option('--revision <n>', 'of the review that you looked at (default: as it is now)')
      .option('--digest <sha256>', 'of the subject that you looked at (default: as it is now)')
      .action(async (text: string, said: string | undefined, options: DecisionOptions, command: Command) => {
        if (verb === 'vote' && !verdicts.includes(said ?? ''))
          throw usage(`a verdict is one of ${verdicts.join(', ')}, not ${said ?? ''}.`);
        if (said === undefined && options.option === undefined) throw usage(`say a verdict (${verdicts.join(', ')}) or --option.`);
        const context = shell.context(command);
        const { edits, guidance, reason, revision, digest } = options;
        if (revision !== undefined && !/^\d{1,9}$/.test(revision)) throw usage('--revision is a whole number.');
        const review = await read(context, text);
        const { verdict, option } = chosen(said, options.option, verdicts);
        const offered = review.options.map(({ id }) => id);
        if (verdict === undefined && option !== undefined && !offered.includes(option))
          throw usage(`the review offers ${offered.join(', ')}, and not ${option}; a verdict is one of ${verdicts.join(', ')}.`);
        await send(context, review.review, verb, '', {
          subjectDigest: digest ?? review.subjectDigest,
          revision: revision === undefined ? review.revision : Number(revision),
          ...(verdict === undefined ? {} : { verdict }),
          ...(option === undefined ? {} : { option }),
          reason,
          ...(edits === undefined ? {} : { edits: jsonArgument(edits, '--edits', context.surroundings) }),
          ...(guidance === undefined ? {} : { guidance }),
        });
      });
  }
}

/** What was said is a verdict, or the id of an option. */
function chosen(
  said: string | undefined,
  option: string | undefined,
  verdicts: readonly string[],
): { readonly verdict?: string; readonly option?: string } {
  if (said === undefined) return { option: option ?? '' };
  if (verdicts.includes(said)) return { verdict: said, ...(option === undefined ? {} : { option }) };
  return { option: option ?? said };
}

/** A command that needs nothing but its options. */
function act<O>(shell: Shell, verb: string, done: string, body: (options: O) => object) {
  return async (text: string, options: O, command: Command): Promise<void> => send(shell.context(command), text, verb, done, body(options));
}

async function send(context: Context, text: string, verb: string, done: string, body: object): Promise<void> {
  const id = await reviewId(context.client, text);
  const answered = await context.client.post<Answered>(`reviews/${id}:${verb}`, body);
  context.print(answered, () => `${answered.applied === undefined ? `${done} review ${tail(id)}` : decidedText(answered)}\n`);
  if (answered.applied === 'no') context.exit(NOT_APPLIED);
}

/** As for a race that was lost. */
const NOT_APPLIED = 4;

/** What became of a decision, in one sentence. */
function decidedText({ applied, says, review, decision, quorum }: Answered): string {
  const what = `review ${tail(review)}`;
  switch (applied) {
    case 'yes':
      return `decided ${what}: ${decision?.option ?? ''}, and the run goes by it`;
    case 'no':
      return `recorded for ${what}, and not applied: ${says ?? 'it came too late'}`;
    case 'open':
      return `voted on ${what}: ${quorum.votes.length} ${quorum.votes.length === 1 ? 'word' : 'words'}, ${quorum.of} must agree`;
    default:
      return `decided ${what}; the run has not answered yet`;
  }
}

const read = async (context: Context, text: string): Promise<ReviewView> =>
  context.client.get<ReviewView>(`reviews/${await reviewId(context.client, text)}`);

function inboxTable(reviews: readonly ReviewView[], { paint }: Context): string {
  const rows = reviews.map((review) => [
    tail(review.review),
    tail(review.run),
    review.workflow,
    review.queue,
    review.risk,
    review.why,
    review.claimedBy === null ? review.status : `${review.claimedBy}`,
    review.escalation.level === 0 ? '' : `${review.escalation.level}${review.escalation.overdue ? ', overdue' : ''}`,
    spanText(Date.now() - Date.parse(review.openedAt)),
    spanText(Date.parse(review.deadline) - Date.now()),
    review.question,
  ]);
  const header = ['REVIEW', 'RUN', 'WORKFLOW', 'QUEUE', 'RISK', 'WHY', 'WITH', 'PASSED UP', 'AGE', 'DEADLINE IN', 'QUESTION'];
  return table(header, rows, (text) => paint.style('bold', text));
}

function reviewText(review: ReviewView, { paint }: Context): string {
  const width = Math.max(...review.options.map(({ id }) => id.length), 0);
  const lines: [string, string][] = [
    ['review', `${review.review}, ${paint.state(review.status)}, revision ${review.revision}`],
    ['run', `${review.run}, ${review.workflow}, ${review.branch}, step ${review.step}${review.goal === null ? '' : `; ${review.goal}`}`],
    ['question', review.question],
    ['why', `${review.why}, risk ${review.risk}, queue ${review.queue}`],
    ...review.subjects.flatMap(({ step, input, params, effect, problem }): [string, string][] => [
      ['about', `${step}${effect === null ? '' : `, effect ${effect.key}`}${problem === undefined ? '' : ` (not known yet: ${problem})`}`],
      ['  input', brief(input, 400)],
      ...(Object.keys((params ?? {}) as object).length === 0 ? [] : [['  params', brief(params, 400)] satisfies [string, string]]),
    ]),
    ['digest', review.subjectDigest],
    ...(review.diffToPrevious ?? []).map(({ path, before, after }, i): [string, string] => [
      i === 0 ? 'changed' : '',
      `${path}: ${brief(before)} -> ${brief(after)}`,
    ]),
    ...review.options.map(({ id, preview }, i): [string, string] => [i === 0 ? 'options' : '', `${id.padEnd(width)}  ${preview}`]),
    ...(review.editable.length === 0 ? [] : [['editable', review.editable.join(', ')] satisfies [string, string]]),
    ...review.evidence.map((piece, i): [string, string] => [i === 0 ? 'evidence' : '', brief(piece, 400)]),
    ['asked', review.candidates.length === 0 ? 'every reviewer' : review.candidates.join(', ')],
    ...review.excluded.map(({ who, because }, i): [string, string] => [i === 0 ? 'not asked' : '', `${who}, as ${because}`]),
    ...(review.quorum.of === 1 ? [] : [['quorum', `${review.quorum.of} must agree`] satisfies [string, string]]),
    ...review.quorum.votes.map((vote, i): [string, string] => [
      i === 0 ? 'votes' : '',
      `${String(vote['by'])}: ${String(vote['verdict'])}, ${String(vote['reason'])}`,
    ]),
    ['with', review.claimedBy ?? review.assignee ?? 'nobody'],
    ['deadline', `${review.deadline}, then ${review.onDeadline}${review.escalation.overdue ? ' (overdue)' : ''}`],
    ...review.escalation.chain.map(({ to, at }, i): [string, string] => [i === 0 ? 'passed up' : '', `to ${to} at ${at}`]),
    ...review.comments.map(({ by, at, text }, i): [string, string] => [i === 0 ? 'comments' : '', `${at} ${by}: ${text}`]),
    ...(review.decision === undefined
      ? []
      : [
          [
            'decided',
            `${review.decision.option} by ${review.decision.by.join(', ')} at ${review.decision.at}: ${review.decision.reason}`,
          ] satisfies [string, string],
        ]),
    ...(review.closed === undefined ? [] : [['closed', `${review.closed.because}: ${review.closed.says}`] satisfies [string, string]]),
  ];
  return lines.map(([name, text]) => `${paint.style('dim', name.padEnd(11))}  ${oneLine(text)}\n`).join('');
}
