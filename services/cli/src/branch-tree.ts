import type { BranchesView, BranchView } from '@cairn/contracts';
import { changesText, choicesText, valueText, type Change } from './changes-text.js';
import type { Paint } from './paint.js';
import { oneLine } from './show.js';

/** Marks of one lane: the first ones and the last ones, or a terminal is too narrow. */
const FIRST_SHOWN = 3;
const LAST_SHOWN = 5;
/** `o--` */
const MARK_WIDTH = 3;

/** The branches of a run as lanes: each begins under the mark that it grows from, `o` success or checkpoint, `x` failure. */
export function branchTree(view: BranchesView, paint: Paint): string {
  const names = Math.max(...view.branches.map(({ branch }) => branch.length));
  const lanes = new Map<string, Lane>();
  for (const branch of view.branches) lanes.set(branch.branch, laneOf(branch, lanes));
  const heads = view.branches.map((branch) => {
    const { text } = lanes.get(branch.branch) ?? { text: '' };
    return { branch, left: `${branch.branch.padEnd(names)}  ${text}${text === '' ? '' : '  '}${noteOf(branch)}`.trimEnd() };
  });
  const width = Math.max(...heads.map(({ left }) => left.length));
  const indent = ' '.repeat(names + 2);
  return heads
    .flatMap(({ branch, left }) => [
      `${left.padEnd(width)}  ${paint.style(branch.head ? 'bold' : 'dim', statusOf(branch, view))}`.trimEnd(),
      ...changesText((branch.opened?.changes ?? []) as unknown as readonly Change[]).map((change) =>
        paint.style('dim', `${indent}changed  ${change}`),
      ),
      ...choicesText(branch.opened?.effects ?? {}).map((choice) => paint.style('dim', `${indent}${choice}`)),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

interface Lane {
  readonly text: string;
  /** Where a branch begins that grows from a revision. */
  columnAt(revision: number): number;
}

function laneOf({ marks, marksBefore, opened, shadow }: BranchView, lanes: ReadonlyMap<string, Lane>): Lane {
  const all = [...Array.from({ length: Math.min(1, marksBefore) }, () => undefined), ...marks];
  const shown = all.length > FIRST_SHOWN + LAST_SHOWN + 1 ? [...all.slice(0, FIRST_SHOWN), undefined, ...all.slice(-LAST_SHOWN)] : all;
  const line = shadow ? '~~' : '--';
  const start = opened === undefined ? 0 : (lanes.get(opened.parent.branch)?.columnAt(opened.parent.revision) ?? 0);
  const signs = shown.map((mark) => (mark === undefined ? '…' : mark.kind === 'failure' ? 'x' : 'o'));
  const first = opened === undefined ? start : start + MARK_WIDTH;
  return {
    text: ' '.repeat(start) + (opened === undefined ? signs : ['\\', ...signs]).join(line),
    columnAt: (revision) => {
      const at = shown.findLastIndex((mark) => mark !== undefined && mark.revision <= revision);
      return at < 0 ? start : first + at * MARK_WIDTH;
    },
  };
}

/** What it was opened for, and why it could not go on. */
function noteOf({ opened, failure, branch, revision, shadow, stops = [] }: BranchView): string {
  const notes: string[] = [];
  if (opened !== undefined)
    notes.push(`${oneLine(opened.cause)}${purposeOf(opened)} (${shadow ? 'shadow, ' : ''}${oneLine(opened.actor.replace(/^user:/, ''))})`);
  else if (revision < 0) notes.push(`${branch} is announced and not opened yet`);
  if (failure !== undefined) {
    const { step, bucket, attempts, message } = failure;
    notes.push(
      oneLine(`${step === undefined ? '' : `${step} `}failed ${bucket}${attempts === undefined ? `: ${message}` : `, ${attempts}`}`),
    );
  }
  if (stops.length > 0) notes.push(oneLine(`stops: ${stops.join('; ')}`));
  return notes.join('; ');
}

/** ` screen-b` of a fallback; of other causes the reason, which is a person's. */
function purposeOf({ cause, changes, reason, actor }: NonNullable<BranchView['opened']>): string {
  const ops = changes as unknown as readonly Change[];
  const telling =
    ops.find(({ path }) => path.endsWith(cause === 'reduced_scope' ? '/scope' : '/queue')) ??
    ops.find(({ path }) => path.startsWith('/scope'));
  if (cause === 'fallback' || cause === 'reduced_scope') return telling === undefined ? '' : ` ${valueText(telling.value)}`;
  return actor.startsWith('policy:') ? '' : `: ${oneLine(reason)}`;
}

function statusOf({ head, outcome, supersededBy }: BranchView, { state, sub }: BranchesView): string {
  const end = outcome === 'superseded' || outcome === 'open' ? '' : `${outcome}, `;
  if (supersededBy !== undefined) return `${end}superseded by ${supersededBy}`;
  if (head) return `HEAD  ${state}${sub === undefined ? '' : `: ${sub}`}`;
  return outcome;
}
